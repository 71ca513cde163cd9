"""A screen that cannot stop the work whose results it shows."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


class SteadyStream:
    """A text stream that never raises because of who reads it.

    Signs that its encoding lacks become question marks. Once its reader is gone, as in
    ``... | head -1``, what is written vanishes, and the program goes on to its end.

    Args:
        stream: Where to write; everything but writing is left to it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(errors='replace')

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()

    def _give_up(self) -> None:
        """Send what is left nowhere, or Python would complain of it when it ends."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def steady_screen() -> Iterator[None]:
    """Make both of the program's outputs steady, see :class:`SteadyStream`.

    A decorator, too: every command's ``main`` has it.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(SteadyStream, before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
