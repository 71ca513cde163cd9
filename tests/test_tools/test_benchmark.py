import json
from pathlib import Path

import pytest

from mmvireid.benchmark import Cell, read_lines, sign

AGW, MSO = 'configs/agw/agw_synthetic.py', 'configs/mso/mso_synthetic.py'
#: In place of a cell's process: ends well, or as its name says.
STUB = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[sys.argv.index('--run-cell') + 1]).parent
cell = json.loads((folder / 'cell.json').read_text())
if 'bad' in cell['variant']:
    sys.exit('train: it does not fit')
figures = dict.fromkeys(('R1', 'R5', 'R10', 'R20', 'mAP', 'mINP'), [40.0])
line = dict(cell, name=folder.name, config_hash='c0ffee',
            trials={'sysu/all-1shot': figures}, seconds=dict(train=2.0, test=1.0))
(folder / 'line.json').write_text(json.dumps(line))
"""


@pytest.fixture
def tool(load_tool, monkeypatch, tmp_path):
    module = load_tool('benchmark.py')
    monkeypatch.chdir(module.ROOT)
    monkeypatch.setattr(module, 'RESULTS', tmp_path / 'project.jsonl')
    monkeypatch.setattr(module, 'ensure_rendered', lambda *args, **kwargs: None)
    return module


@pytest.fixture
def run(tool, tmp_path, monkeypatch):
    """``run(config, ...)``: the command, whose cells are stubs."""

    def build(*argv):
        tool.main([*argv, '--out', str(tmp_path / 'runs')])

    stub = tmp_path / 'stub.py'
    stub.write_text(STUB)
    monkeypatch.setattr(tool, '__file__', str(stub))
    monkeypatch.setattr(tool, 'final_config', lambda cell: {})
    monkeypatch.setattr(tool, 'config_hash', lambda cfg: 'c0ffee')
    return build


def test_every_cell_becomes_a_line_and_is_not_run_again(run, tmp_path, capsys):
    argv = [AGW, '--rules', 'both', '--seeds', '0', '1', '--jobs', '2', '--commit', 'abc']
    run(*argv)
    lines = read_lines(tmp_path / 'runs/results.jsonl')
    assert sorted((line['rules'], line['seed']) for line in lines) == [
        ('equal', 0),
        ('equal', 1),
        ('published', 0),
        ('published', 1),
    ]
    assert not list((tmp_path / 'runs/work').iterdir())  # checkpoints of finished cells
    out = capsys.readouterr().out
    assert '0 of 4 cells are done.' in out and 'sysu/all-1shot R1 40.00 mAP 40.00' in out
    assert '[4/4]' in out
    run(*argv)
    assert '4 of 4 cells are done.' in capsys.readouterr().out
    assert len(read_lines(tmp_path / 'runs/results.jsonl')) == 4


def test_lines_of_the_project_count_as_done(run, tool, tmp_path, capsys):
    line = dict(name=Cell(AGW).name, config_hash='c0ffee', seconds=dict(train=1.0))
    tool.RESULTS.write_text(json.dumps(sign(line)) + '\n')
    run(AGW)
    assert '1 of 1 cells are done.' in capsys.readouterr().out
    assert not (tmp_path / 'runs/results.jsonl').exists()


def test_a_config_that_has_changed_is_run_again(run, tool, tmp_path, capsys):
    line = dict(name=Cell(AGW).name, config_hash='older', seconds=dict(train=1.0))
    tool.RESULTS.write_text(json.dumps(sign(line)) + '\n')
    run(AGW, '--list', '--seeds', '0', '1')
    assert capsys.readouterr().out.splitlines() == [
        'older  agw_synthetic.published.small.seed0',
        'waits  agw_synthetic.published.small.seed1',
    ]
    run(AGW)
    assert len(read_lines(tmp_path / 'runs/results.jsonl')) == 1
    capsys.readouterr()
    run(AGW, '--list')
    assert capsys.readouterr().out == 'done   agw_synthetic.published.small.seed0\n'


def test_a_failed_cell_keeps_its_reason_and_the_others_go_on(run, tmp_path, capsys):
    variants = tmp_path / 'variants.txt'
    option = 'optim_wrapper.optimizer.lr=0.01'
    variants.write_text(
        f'# name, config, options\nbad\t{AGW}\t{option}\t# too fast\n\ngood\t{MSO}\t"{option}"\n'
    )
    with pytest.raises(SystemExit, match='1 cells failed') as error:
        run('--variants', str(variants))
    assert 'agw_synthetic.bad.published.small.seed0: train: it does not fit' in str(error.value)
    assert 'FAILED: train: it does not fit' in capsys.readouterr().out
    (failed,) = read_lines(tmp_path / 'runs/failed.jsonl')
    assert failed['reason'] == 'train: it does not fit'
    (line,) = read_lines(tmp_path / 'runs/results.jsonl')
    assert line['variant'] == 'good' and line['options'] == {'optim_wrapper.optimizer.lr': 0.01}


def test_a_line_edited_by_hand_stops_it_before_any_run(run, tmp_path):
    run(AGW)
    path = tmp_path / 'runs/results.jsonl'
    path.write_text(path.read_text().replace('40.0', '80.0'))
    with pytest.raises(SystemExit, match=r'line 1 \(agw_synthetic.*changed after the run'):
        run(AGW)


def test_bad_variants_are_named(tool, tmp_path):
    path = tmp_path / 'variants.txt'
    path.write_text(f'fast {AGW} a.b=1\n')
    with pytest.raises(SystemExit, match='line 1 is .* expected name, config and options'):
        tool.main(['--variants', str(path), '--list'])
    path.write_text(f'fast\t{AGW}\tno.such.key=1\n')
    with pytest.raises(SystemExit, match=r'no.such.key.*\(agw_synthetic.fast.published'):
        tool.main(['--variants', str(path), '--list'])


def test_two_cells_of_one_name_are_refused(tool, tmp_path):
    path = tmp_path / 'variants.txt'
    path.write_text(f'fast\t{AGW}\tmodel.flip_test=True\nfast\t{AGW}\n')
    with pytest.raises(SystemExit, match='is the name of two cells.*expected another name'):
        tool.main(['--variants', str(path), '--list'])


def test_without_configs_all_rendered_ones_are_run(tool):
    cells = tool.list_cells(tool.build_parser().parse_args(['--seeds', '0', '1']))
    configs = {Path(cell.config).stem for cell in cells}
    assert {'agw_synthetic', 'mso-baseline_synthetic', 'hicmd_synthetic'} <= configs
    assert [cell.seed for cell in cells] == sorted(cell.seed for cell in cells)  # seed by seed


def test_lines_are_merged_into_the_project(tool, tmp_path, capsys):
    other = tmp_path / 'other.jsonl'
    other.write_text(json.dumps(sign(dict(name='a'))) + '\n')
    tool.main(['--merge', str(other)])
    assert read_lines(tool.RESULTS) == [sign(dict(name='a'))]
    assert '1 lines added' in capsys.readouterr().out


def test_the_commit_is_unknown_outside_a_clone(tool, tmp_path, monkeypatch):
    args = tool.build_parser().parse_args([])
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    assert tool.commit_of(args) == 'unknown'
    args.commit = 'abc'
    assert tool.commit_of(args) == 'abc'


def test_the_commands_that_a_cell_runs_are_those_beside_it(tool):
    assert tool.load_command('train.py').__module__ == 'tool_train.py'
