"""What of a run's log stands on the terminal: as much as fits a screen. The file has all of it."""

import logging
import re
import shutil
import sys
import textwrap
from typing import TextIO

from mmengine.logging.logger import MMFormatter
from termcolor import colored

from mmvireid.commands import Brief, wants_whole_log

#: No line is longer, nor longer than the terminal is wide.
WIDTH = 160
#: No message of less than a warning has more lines.
HEIGHT = 12
#: How MMEngine's messages begin that are news; the others describe what it does anyway.
_NEWS = (
    'Epoch(',
    'Iter(',
    'Load checkpoint from',
    'LR is set based on',
    'resumed epoch',
    'The best checkpoint',
    'the monitored metric',
)
#: How a warning ends that MMEngine gives for each parameter that a config has frozen on purpose.
_INTENDED = 'is skipped since its requires_grad=False'
_COLORS = {logging.WARNING: 'yellow', logging.ERROR: 'red', logging.CRITICAL: 'red'}


def fit_terminal(logger: logging.Logger) -> None:
    """Let the terminal of a logger show what fits a screen, unless the whole log is wanted.

    Warnings, and what this package or a plugin says, are shown; what MMEngine says of itself is
    not: the environment, the config, the hooks, the settings of every parameter. Colours are for
    terminals alone. Files are left as they are.

    Args:
        logger: MMEngine's, of one run.
    """
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            continue
        if not wants_whole_log():
            handler.addFilter(is_shown)
            handler.setFormatter(TerminalFormatter(handler.stream))
        elif not handler.stream.isatty():
            handler.setFormatter(MMFormatter(color=False, datefmt='%m/%d %H:%M:%S'))


def is_shown(record: logging.LogRecord) -> bool:
    """Whether a message is news for who looks on. A filter, to be called while it is logged."""
    if record.levelno > logging.INFO:
        return not record.getMessage().endswith(_INTENDED)
    if isinstance(record.msg, Brief):
        return bool(record.msg.brief)
    return not _speaker().startswith('mmengine.') or record.getMessage().startswith(_NEWS)


def _speaker() -> str:
    """The module that is logging something; a record names ``print_log``'s own."""
    frame = sys._getframe(1)
    while re.match(rf'(logging|mmengine\.logging|{__name__})\b', frame.f_globals['__name__']):
        frame = frame.f_back
    return frame.f_globals['__name__']


class TerminalFormatter(logging.Formatter):
    """Lines with the time of day that fit a terminal.

    A :class:`Brief` message is cut, all others are wrapped. Signs that would steer the terminal
    become question marks.

    Args:
        stream: Where the lines go. One that is no terminal gets no colours, and :data:`WIDTH`.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(datefmt='%H:%M:%S')
        self.stream = stream

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a message, without a final line break."""
        is_tty = self.stream.isatty()
        columns = shutil.get_terminal_size((WIDTH, 24)).columns if is_tty else WIDTH
        time = self.formatTime(record, self.datefmt) + ' '
        room = max(min(columns, WIDTH), 40) - len(time)
        if isinstance(record.msg, Brief):
            lines = [_cut(line, room) for line in _plain(record.msg.brief)]
        else:
            level = '' if record.levelno <= logging.INFO else f'{record.levelname}: '
            lines = _wrap(level + record.getMessage(), room)
            if not level and len(lines) > HEIGHT:
                lines = [*lines[:HEIGHT], '... (the log file has the rest)']
        if record.exc_info:
            lines += _wrap(self.formatException(record.exc_info), room)
        color = _COLORS.get(record.levelno)
        if color and is_tty:
            lines = [colored(line, color, force_color=True) for line in lines]
        return time + ('\n' + ' ' * len(time)).join(lines)


def _plain(text: str) -> list[str]:
    """The lines of a text, without signs that are not printed."""
    return [re.sub(r'[\x00-\x1f\x7f-\x9f]', '?', line.expandtabs()) for line in text.splitlines()]


def _cut(line: str, room: int) -> str:
    """The first items of a line, with a sign where others are left out."""
    if len(line) <= room:
        return line
    kept = line[: room - 4]
    return (kept.rpartition('  ')[0] if '  ' in kept.strip() else kept) + ' ...'


def _wrap(text: str, room: int) -> list[str]:
    """The lines of a text, those that are too long as several, all with their indent."""
    lines = []
    for line in _plain(text):
        indent = line[: len(line) - len(line.lstrip())][: room // 2]
        lines += textwrap.wrap(
            line, room, subsequent_indent=indent, break_on_hyphens=False
        ) or ['']  # fmt: skip
    while lines and not lines[0]:
        lines.pop(0)
    return lines
