"""Screens that are closed, or know few letters."""

import io
import subprocess
import sys

import pytest

from mmvireid.commands import steady_screen

WORK = """
import sys
from pathlib import Path
from mmvireid.commands import steady_screen

@steady_screen()
def main():
    for line in range(100_000):
        print(line, '±')
    print('on stderr ±', file=sys.stderr)
    Path(sys.argv[1]).write_text('the end')

main()
"""


def run(tmp_path, **options):
    command = [sys.executable, '-c', WORK, str(tmp_path / 'result')]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_work_goes_on_to_its_end_after_the_reader_has_gone(tmp_path):
    with run(tmp_path) as process:
        assert process.stdout.readline() == '0 ±\n'.encode()
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert (process.returncode, errors) == (0, 'on stderr ±\n')
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
