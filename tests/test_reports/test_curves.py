import json
import math

import pytest

from mmvireid.reports.curves import read_curves


def read(folder, **records):
    return read_curves(folder, {folder / time: record for time, record in records.items()})


def test_an_interrupted_run_is_one_curve(tmp_path, leave):
    """The first start was killed after iteration 7, its checkpoint is of iteration 5."""
    val = {'sysu/R1': 10.0, 'step': 1}
    first = [leave.line(s, 1 + (s > 4), loss=100.0 + s) for s in range(1, 8)]
    second = [leave.line(s, 1 + (s > 4) + (s > 8), loss=200.0 + s) for s in range(6, 11)]
    leave.start(tmp_path, 'a', [*first[:4], val, *first[4:]])
    leave.start(tmp_path, 'b', [*second[:3], dict(val, step=2), *second[3:]])
    records = [dict(begins_at=begin, epoch_length=4) for begin in (0, 5)]
    for known in (dict(a=records[0], b=records[1]), {}):  # an older version left no record
        curves = read(tmp_path, **known)
        expected = {s: (100.0 if s < 6 else 200.0) + s for s in range(1, 11)}
        assert curves.training == {'loss': expected}
        assert list(curves.training['loss']) == list(range(1, 11)) == curves.steps
        assert curves.validation == {'sysu/R1': {4: 10.0, 8: 10.0}}


def test_what_was_logged_beyond_the_checkpoint_is_dropped(tmp_path, leave):
    """The log is sparse: nothing after iteration 5 has taken the place of 6 and 8 yet."""
    leave.start(tmp_path, 'a', [leave.line(s, loss=1.0) for s in (2, 4, 6, 8)])
    leave.start(tmp_path, 'b', [leave.line(10, loss=2.0)])
    assert list(read(tmp_path, b=dict(begins_at=5)).training['loss']) == [2, 4, 10]


def test_a_run_that_begins_anew_in_the_same_folder_is_another(tmp_path, leave):
    leave.start(tmp_path, 'a', [leave.line(s, loss=1.0, old=1.0) for s in (1, 2, 3)])
    leave.start(tmp_path, 'b', [leave.line(1, loss=2.0)])
    for known in (dict(b=dict(begins_at=0, epoch_length=3)), {}):
        assert read(tmp_path, **known).training['loss'] == {1: 2.0}
        assert not read(tmp_path, **known).training.get('old')


def test_an_epoch_that_is_validated_again_counts_once(tmp_path, leave):
    """A checkpoint from the end of an epoch was written before its validation."""
    leave.start(tmp_path, 'a', [leave.line(2, loss=1.0), {'R1': 1.0, 'step': 1}])
    leave.start(
        tmp_path, 'b', [{'R1': 2.0, 'step': 1}, leave.line(3, 2, loss=1.0), {'R1': 3.0, 'step': 2}]
    )
    curves = read(tmp_path, b=dict(begins_at=2, epoch_length=2))
    assert curves.validation == {'R1': {2: 2.0, 4: 3.0}}


@pytest.mark.parametrize(
    'end', ['{"loss": 1.0, "st', '\x00\x00\x00', '"text"', '[' * 9, '{"loss": 1}']
)
def test_the_broken_end_of_a_killed_run_is_left_out_and_said(end, tmp_path, leave):
    leave.start(tmp_path, 'a', [leave.line(1, loss=1.0), end])
    curves = read(tmp_path)
    assert curves.training == {'loss': {1: 1.0}}
    path = tmp_path / 'a/vis_data/scalars.json'
    assert curves.damaged == [f'The last line of {path} is cut short, and left out.']
    with open(path, 'a') as file:  # a line that ends, or has others behind it, is another thing
        file.write('\n')
    assert read(tmp_path).damaged == [f'Line 2 of {path} is damaged, and left out.']


def test_bytes_that_are_no_text_are_left_out(tmp_path, leave):
    leave.start(tmp_path, 'a', [leave.line(1, loss=1.0)])
    path = tmp_path / 'a/vis_data/scalars.json'
    path.write_bytes(
        path.read_bytes() + b'\xff\xfe\n' + json.dumps(leave.line(2, loss=2.0)).encode()
    )
    curves = read(tmp_path)
    assert curves.training == {'loss': {1: 1.0, 2: 2.0}} and len(curves.damaged) == 1


def test_kinds_and_what_is_no_curve(tmp_path, leave):
    values = {
        'critic/loss': 1.0, 'critic/loss_real': 1.0, 'loss': 1.0, 'lr': 1.0, 'critic.lr': 1.0,
        'base_lr': 1.0, 'critic.base_lr': 1.0, 'critic/critic.grad_norm': 1.0, 'grad_norm': 1.0,
        'accuracy': math.nan, 'memory': 5, 'data_time': 1.0, 'text': 'x', 'flag': True,
    }  # fmt: skip
    leave.start(tmp_path, 'a', [leave.line(1, **values)])
    assert read(tmp_path).kinds() == {
        'loss': ['critic/loss', 'critic/loss_real', 'loss'],
        'rate': ['lr', 'critic.lr'],
        'gradient norm': ['critic/critic.grad_norm', 'grad_norm'],
        'other': ['accuracy'],
    }


def test_iterations_without_epochs(tmp_path, leave):
    lines = [dict(loss=1.0, iter=4, step=4), {'R1': 5.0, 'step': 4}]
    leave.start(tmp_path, 'a', lines)
    assert read(tmp_path, a=dict(begins_at=0, epoch_length=None)).validation == {'R1': {4: 5.0}}


def test_no_curves_are_one_sentence(tmp_path, leave):
    with pytest.raises(FileNotFoundError, match=r'no curves in .*tools/train\.py CONFIG'):
        read(tmp_path)
