import json
from pathlib import Path

import pytest
import torch

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.fixture
def tool(load_tool):
    return load_tool('misc/kill_test.py')


def test_a_run_that_is_killed_goes_on_as_if_nothing_had_happened(
    tool, shrink, narrow_code, tmp_path, monkeypatch, capsys
):
    """HiCMD: three optimisers, random rectangles, dropout."""
    cfg = shrink(str(CONFIGS / 'hicmd/hicmd_synthetic.py'))
    cfg.train_dataloader.batch_sampler.num_batches = 5
    cfg.train_cfg.update(max_epochs=2, val_interval=1)
    cfg.model.erasing.p = 0.5
    cfg.log_level = 'INFO'
    cfg.randomness.deterministic = True  # else a GPU adds gradients up in any order
    cfg.dump(tmp_path / 'tiny.py')
    monkeypatch.setattr(tool, 'RECORDER', narrow_code + tool.RECORDER)
    folder = str(tmp_path / 'both')
    tool.main([str(tmp_path / 'tiny.py'), '--kills', '2', '--every', '2', '--work-dir', folder])
    assert (
        'tiny: 2 kills in 10 iterations' in (out := capsys.readouterr().out)
        and 'differences: 0 batches, 0 values, 0 state_dict, 0 optimizer, 0 param_schedulers' in out
    )
    log = tool.read_log(tmp_path / 'both/straight')
    assert {key for key in log if key[0] == 'train'} == {('train', i) for i in range(1, 11)}
    assert [key for key in log if key[0] == 'val'] == [('val', 1), ('val', 2)]
    assert 'generation_reid/loss_cross' in log['train', 7][0]


def write_run(folder, batches, losses, weight):
    """A folder as a run leaves it."""
    (folder / 'time/vis_data').mkdir(parents=True)
    (folder / 'batches.txt').write_text(''.join(f'{i} {c} .\n' for i, c in batches) + '9 1')
    rows = [dict(iter=i, step=i, loss=loss, time=i / 7) for i, loss in losses]
    text = ''.join(json.dumps(row) + '\n' for row in rows)
    (folder / 'time/vis_data/scalars.json').write_text(text + '{"step": 4, "lo')
    end = dict(
        state_dict=dict(layer=torch.tensor([1.0, weight])),
        optimizer=dict(state={0: dict(step=3)}),
        param_schedulers=[dict(last_step=2)],
    )
    torch.save(end, folder / 'epoch_10.pth')
    torch.save({}, folder / 'epoch_9.pth')


SAME = dict(batches=0, values=0, state_dict=0, optimizer=0, param_schedulers=0)


@pytest.mark.parametrize(
    ('batches', 'losses', 'weight', 'found'),
    [
        ([(1, 5), (2, 6), (2, 6), (3, 7)], [(1, 0.1), (2, 0.2), (2, 0.2), (3, 0.3)], 2.0, {}),
        ([(1, 5), (2, 6), (2, 8), (3, 7)], [(1, 0.1), (2, 0.2), (3, 0.3)], 2.0, dict(batches=1)),
        ([(1, 5), (3, 7)], [(1, 0.1), (2, 0.2), (3, 0.3)], 2.0, dict(batches=1)),
        ([(1, 5), (2, 6), (3, 7)], [(1, 0.1), (2, 0.2), (2, 0.21), (3, 0.3)], 2.0, dict(values=1)),
        ([(1, 5), (2, 6), (3, 7)], [(1, 0.1), (3, 0.3)], 2.0, dict(values=1)),
        (
            [(1, 5), (2, 6), (3, 7)],
            [(1, 0.1), (2, 0.2), (3, 0.3)],
            2.0000002,
            dict(state_dict=1),
        ),
    ],
)
def test_any_difference_is_counted(batches, losses, weight, found, tool, tmp_path):
    whole = [(1, 5), (2, 6), (3, 7)], [(1, 0.1), (2, 0.2), (3, 0.3)], 2.0
    write_run(tmp_path / 'straight', *whole)
    write_run(tmp_path / 'killed', batches, losses, weight)
    assert tool.compare(tmp_path / 'straight', tmp_path / 'killed') == SAME | found


def test_nested_values_are_compared_to_the_last_bit(tool):
    a = dict(x=[torch.zeros(2), 1], y=dict(z=(1.0, 'a')))
    assert tool.differing(a, dict(x=[torch.zeros(2), 1], y=dict(z=(1.0, 'a')))) == []
    assert tool.differing(a, dict(x=[torch.zeros(2), 1.0], y=dict(z=(1.0, 'b')))) == [
        '.x.1',
        '.y.z.1',
    ]
    assert tool.differing(a, dict(x=[torch.zeros(3), 1])) == ['']
    assert tool.differing(torch.zeros(2), torch.zeros(2).double()) == ['']


def test_a_folder_that_exists_is_left_alone(tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool.main(['config.py', '--work-dir', str(tmp_path)])
    assert 'expected a new folder' in capsys.readouterr().err
