import errno
import io
import logging

import pytest

from mmvireid.engine.runner.log_file import say_failures_once


class FullDisk(io.StringIO):
    def write(self, text):
        raise self.error


@pytest.fixture
def logger(tmp_path):
    """A logger with a file, and that file."""
    handler = logging.FileHandler(tmp_path / 'run.log')
    logger = logging.Logger('run')
    logger.addHandler(handler)
    say_failures_once(logger)
    yield logger, handler
    handler.close()


def test_a_full_disk_is_one_line_for_all_that_is_lost(logger, tmp_path, capsys):
    logger, handler = logger
    logger.warning('first')
    file = handler.setStream(FullDisk())
    handler.stream.error = OSError(errno.ENOSPC, 'No space left on device')
    for _ in range(3):
        logger.warning('lost')
    handler.setStream(file)  # there is room again
    logger.warning('last')
    assert (tmp_path / 'run.log').read_text() == 'first\nlast\n'
    assert capsys.readouterr().err == (
        f'The log file {tmp_path}/run.log cannot be written (No space left on device): it will '
        'have gaps.\n'
    )


def test_a_bug_in_a_message_is_still_shown(logger, capsys):
    logger[0].warning('%d', 'no number')
    assert 'TypeError' in capsys.readouterr().err
