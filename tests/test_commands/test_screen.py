"""Screens that are closed, or know few letters."""

import copy
import io
import pickle
import subprocess
import sys

import pytest

from mmvireid.commands import Brief, steady_screen

#: Ends by itself, and says where it was, should it ever hang.
WORK = """
import faulthandler
import sys
from pathlib import Path
from mmvireid.commands import steady_screen

faulthandler.dump_traceback_later(100, exit=True)

@steady_screen()
def main():
    for line in range(100_000):
        print(line, '±')
    print('on stderr ±', file=sys.stderr)
    Path(sys.argv[1]).write_text('the end')

main()
"""


def test_work_goes_on_to_its_end_after_the_reader_has_gone(tmp_path):
    command = [sys.executable, '-c', WORK, str(tmp_path / 'result')]
    with open(tmp_path / 'errors', 'wb') as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout.readline() == '0 ±\n'.encode()
        process.stdout.close()
        status = process.wait(timeout=120)
    finally:
        process.kill()
    assert (status, (tmp_path / 'errors').read_text()) == (0, 'on stderr ±\n')
    assert (tmp_path / 'result').read_text() == 'the end'


def test_signs_that_a_screen_lacks_are_replaced(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding='ascii')
    monkeypatch.setattr(sys, 'stdout', screen)
    with steady_screen():
        print('26.10 ± 1.30 \udcd0')
    assert screen.buffer.getvalue() == b'26.10 ? 1.30 ?\n'
    assert sys.stdout is screen


def test_errors_pass_and_both_outputs_are_put_back(capsys):
    before = sys.stdout, sys.stderr
    with pytest.raises(SystemExit), steady_screen():
        assert sys.stdout is not before[0] and not sys.stdout.isatty()
        print('said')
        raise SystemExit(1)
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == 'said\n'


def test_a_brief_message_is_the_long_one_to_all_who_do_not_ask():
    message = Brief('in full', 'short')
    assert message == 'in full'
    assert copy.deepcopy(message).brief == pickle.loads(pickle.dumps(message)).brief == 'short'
