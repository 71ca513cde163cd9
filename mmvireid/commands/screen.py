"""A screen that cannot stop the work whose results it shows, and what is to stand on it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


class Brief(str):
    """A message that the terminal says in fewer words than the log file.

    Args:
        text: For the file.
        brief: For the terminal: lines of items with two spaces in between, of which a narrow one
            shows the first. Nothing is said where it is empty.

    Example:
        >>> message = Brief('loss: 0.5000  loss_identity: 0.4000', 'loss 0.5')
        >>> message, message.brief
        ('loss: 0.5000  loss_identity: 0.4000', 'loss 0.5')
    """

    brief: str

    def __new__(cls, text: str, brief: str = '') -> 'Brief':
        message = super().__new__(cls, text)
        message.brief = brief
        return message


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
