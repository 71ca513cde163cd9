"""A log file that cannot be written is no reason to print a traceback for every line."""

import logging
import sys


def say_failures_once(logger: logging.Logger) -> None:
    """Let the files of a logger say once that they cannot be written, as on a full disk.

    Python prints a traceback each time.

    Args:
        logger: Any logger. What it prints is left as it is.
    """
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = _OneLine(handler)


class _OneLine:
    def __init__(self, handler: logging.FileHandler) -> None:
        self.handler = handler
        self.has_spoken = False

    def __call__(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            logging.FileHandler.handleError(self.handler, record)
        elif not self.has_spoken:
            self.has_spoken = True
            print(
                f'The log file {self.handler.baseFilename} cannot be written ({error.strerror}): '
                'it will have gaps.',
                file=sys.stderr,
            )
