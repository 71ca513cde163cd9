import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmvireid.commands import (
    CommandParser,
    add_rerank_argument,
    parse_run_args,
    wants_traceback,
    wants_whole_log,
)
from mmvireid.evaluation.functional import RERANKINGS

ROOT = Path(__file__).parents[2]
#: What takes seconds to import.
HEAVY = ('cv2', 'matplotlib', 'scipy', 'torchvision', 'mmengine.runner', 'mmvireid.engine')


def test_every_command_takes_the_switch_and_keeps_it_to_itself():
    assert not vars(CommandParser().parse_args(['--traceback']))
    assert wants_traceback()
    CommandParser().parse_args([])
    assert not wants_traceback()


def test_a_run_shows_its_whole_log_on_request(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv('MKL_NUM_THREADS', '1')
    for arguments in (['--verbose'], []):
        args = parse_run_args(CommandParser(), arguments)
        assert wants_whole_log() == bool(arguments)
        assert 'verbose' not in args


def test_a_refusal_ends_the_program_as_a_wrong_argument_does(capsys):
    parser = CommandParser(prog='tool')
    parser.parse_args([])
    with pytest.raises(SystemExit) as end:
        parser.refuse(ValueError('no such thing'))
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith('tool: error: no such thing\n')


def test_a_command_knows_the_kinds_of_reranking():
    parser = CommandParser()
    add_rerank_argument(parser, 're-rank')
    kinds = [parser.parse_args(['--rerank', kind]).rerank for kind in RERANKINGS]
    assert kinds == [*RERANKINGS] == parser._option_string_actions['--rerank'].choices
    assert parser.parse_args(['--rerank']).rerank == 'k-reciprocal'
    assert parser.parse_args([]).rerank is False


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_help_imports_nothing_heavy(tool):
    """Counted in modules, since seconds depend on the machine."""
    code = (
        'import runpy, sys\n'
        f'sys.argv = ["tools/{tool}", "--help"]\n'
        'try:\n    runpy.run_path(sys.argv[0], run_name="__main__")\n'
        'except SystemExit:\n    pass\n'
        f'print(sorted(set({HEAVY}) & set(sys.modules)))'
    )
    end = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert end.stdout.splitlines()[-1] == '[]'
    assert '--cfg-options' in end.stdout


def test_processes_of_a_slurm_job_agree_on_a_port_of_their_own(monkeypatch):
    ports = []
    for job, step in ((1000, 0), (1000, 0), (1001, 0), (1000, 1)):
        monkeypatch.delenv('MASTER_PORT', raising=False)
        monkeypatch.setenv('SLURM_JOB_ID', str(job))
        monkeypatch.setenv('SLURM_STEP_ID', str(step))
        parse_run_args(CommandParser(), ['--launcher', 'slurm'])
        ports.append(int(os.environ['MASTER_PORT']))
    assert ports[0] == ports[1]
    assert len(set(ports)) == 3
    assert all(1024 < port < 32768 for port in ports)
    monkeypatch.delenv('MASTER_PORT')
    monkeypatch.setenv('PORT', '29999')
    parse_run_args(CommandParser(), ['--launcher', 'slurm'])
    assert os.environ['MASTER_PORT'] == '29999'
    monkeypatch.delenv('MASTER_PORT')
