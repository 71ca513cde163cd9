"""How a command imports what is heavy."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heavy_imports() -> Iterator[None]:
    """A block that imports much, without looking for garbage meanwhile.

    Python would search all that is there again and again, as modules fill the memory, and find
    nothing. That is a fifth of the time that PyTorch, MMEngine and this package take.

    Example:
        >>> with heavy_imports():
        ...     import json
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
