import io
import logging
import re
import types

import pytest
from mmengine.logging import MMLogger, print_log

from mmvireid.commands import Brief, parser
from mmvireid.engine.runner.terminal import WIDTH, fit_terminal


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def make(tmp_path, monkeypatch):
    """``make(stream)``: a logger as MMEngine builds it, on that stream, and its file's path."""
    token = parser._verbose.set(False)

    def build(stream):
        monkeypatch.setattr('sys.stdout', stream)
        path = tmp_path / f'{len(list(tmp_path.iterdir()))}.log'
        logger = MMLogger(f'{tmp_path.name}_{path.stem}', log_file=str(path))
        fit_terminal(logger)
        return logger, path

    yield build
    parser._verbose.reset(token)


def module(name):
    """A module of another package that logs in both of MMEngine's ways."""
    code = 'def info(logger, text): logger.info(text)\ndef say(log, *args): log(*args)\n'
    made = types.ModuleType(name)
    exec(code, made.__dict__)
    return made


def test_what_mmengine_says_of_itself_stands_in_the_file_alone(make):
    logger, path = make(shown := io.StringIO())
    mmengine, plugin = module('mmengine.runner.runner'), module('projects.mine.loss')
    logger.info('of this package')
    plugin.info(logger, 'of a plugin')
    plugin.say(print_log, 'printed by a plugin', logger)
    for text in ('System environment', 'Config: dict()', 'Hooks will be executed'):
        mmengine.info(logger, text)
        mmengine.say(print_log, f'{text}, printed', logger)
    mmengine.info(logger, 'Load checkpoint from a.pth')
    mmengine.say(print_log, 'a setting is unknown', logger, logging.WARNING)
    frozen = 'neck.bn.bias is skipped since its requires_grad=False'
    mmengine.say(print_log, frozen, logger, logging.WARNING)
    lines = [re.sub(r'^\d\d:\d\d:\d\d ', '', line) for line in shown.getvalue().splitlines()]
    assert lines == [
        'of this package',
        'of a plugin',
        'printed by a plugin',
        'Load checkpoint from a.pth',
        'WARNING: a setting is unknown',
    ]
    written = path.read_text()
    assert written.count('System environment') == written.count('Config: dict()') == 2
    assert len(written.splitlines()) == len(lines) + 7


def test_no_line_is_too_long_and_no_word_of_a_warning_is_lost(make):
    logger, path = make(shown := io.StringIO())
    words = ' '.join(f'word{index}' for index in range(200))
    logger.warning(words)
    logger.info('\n'.join(f'line {index}' for index in range(100)))
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert re.findall(r'word\d+', shown.getvalue()) == words.split()
    assert len(lines) < 30
    assert lines[-1].endswith('(the log file has the rest)')
    assert 'line 99' in path.read_text()


def test_a_narrow_terminal_shows_the_first_items(make, monkeypatch):
    monkeypatch.setenv('COLUMNS', '60')
    logger, path = make(shown := Terminal())
    logger.info(Brief('in full', '  '.join(f'item {index}' for index in range(50))))
    logger.info(Brief('in the file alone', ''))
    (line,) = shown.getvalue().splitlines()
    assert len(line) <= 60
    assert re.search(r'item 0  item 1  .*item \d \.\.\.$', line)
    assert 'in full\n' in path.read_text()
    assert 'in the file alone\n' in path.read_text()


def test_colours_are_for_warnings_on_terminals(make):
    for stream, colored in ((Terminal(), True), (io.StringIO(), False)):
        logger, _ = make(stream)
        logger.info('plain')
        assert '\x1b' not in stream.getvalue()
        logger.warning('look here')
        assert ('\x1b[33m' in stream.getvalue()) == colored


def test_a_name_cannot_steer_the_terminal(make):
    logger, _ = make(shown := Terminal())
    logger.info('cam1/\x1b[2J\r\x07.png')
    assert shown.getvalue().splitlines()[0].endswith('cam1/?[2J')
    assert not set('\x1b\r\x07') & set(shown.getvalue())


@pytest.mark.parametrize('kind', [Terminal, io.StringIO])
def test_the_whole_log_is_shown_to_who_asks_for_it(make, kind, monkeypatch):
    monkeypatch.setattr('mmengine.logging.logger.colored', lambda text, *_, **__: f'\x1b[{text}')
    parser._verbose.set(True)
    logger, _ = make(shown := kind())
    module('mmengine.runner.runner').info(logger, 'Config: ' + 'x' * 500)
    logger.info(Brief('in full', 'short'))
    assert 'Config: ' + 'x' * 500 in shown.getvalue()
    assert 'in full' in shown.getvalue()
    assert ('\x1b' in shown.getvalue()) == (kind is Terminal)


def test_an_error_is_shown_with_its_traceback(make):
    logger, _ = make(shown := io.StringIO())
    try:
        raise ValueError('a bug')
    except ValueError:
        logger.exception('it failed')
    assert 'ERROR: it failed' in shown.getvalue()
    assert 'ValueError: a bug' in shown.getvalue()
