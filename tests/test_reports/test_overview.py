import pytest

from mmvireid.reports.overview import overview

RECORD = dict(
    method='AGW', config='agw.py', command='python tools/train.py agw.py', seed=3, commit='abc+',
    schedule='4 epochs of 2 iterations, 1 of them done, validation every epoch',
    stages=[['warm', 0], ['joint', 6]], optimisers=['Adam moves 1 M', 'SGD moves 2 M'],
    data=dict(training='sysu, 5 images'), changes={'model.depth': [50, 18], 'model.new': [None, 1]},
    settings={'model.depth': 18, 'model.new': 1, 'randomness.seed': 3},
)  # fmt: skip


@pytest.fixture
def shown(parse):
    return lambda *runs: parse(overview(runs).body).text


def test_everything_that_a_figure_hangs_on_is_said(make_run, shown):
    text = shown(make_run('a', record=RECORD, source=dict(num_ids=9)))
    for expected in (
        'method AGW', 'seed 3', 'commit abc+', 'schedule 4 epochs of 2 iterations, validation',
        'stages warm from iteration 1; joint from iteration 7',
        'optimisers Adam moves 1 M; SGD moves 2 M', 'data training: sysu, 5 images',
        'data sysu_mm01, test', 'gallery seeded', 'trials 3', 'feature 9 numbers',
        'features of mirrored images no', 're-ranking no', 'checkpoint chosen by epoch 2',
        'model.depth 50 18', 'model.new \N{EN DASH} 1',
    ):  # fmt: skip
        assert expected in text, expected
    assert 'Settings that differ' not in text


def test_settings_that_differ_and_nothing_else(make_run, shown):
    other = {**RECORD, 'settings': {**RECORD['settings'], 'randomness.seed': 4, 'extra': None}}
    text = shown(make_run('a', record=RECORD), make_run('b', record=other))
    assert 'Settings that differ setting a b randomness.seed 3 4' in text
    assert 'extra' not in text
    same = shown(make_run('c', record=RECORD), make_run('d', record=RECORD))
    assert 'the runs have the same settings' in same


def test_many_changes_are_folded_away(make_run, parse):
    changes = {f'model.part{number}': [1, 2] for number in range(40)}
    run = make_run('a', record=RECORD | dict(changes=changes))
    assert parse(overview([run]).body).count('details') == 1


def test_a_resumed_run_says_so(make_run, leave, shown, tmp_path):
    run = make_run('a', record=RECORD | dict(started='9:00'))
    run.records.append(RECORD | dict(begins_at=6, started='10:00'))
    assert 'a was begun 2 times and is shown as one: 9:00 (iteration 1), 10:00 (iteration 7).' in (
        shown(run)
    )


def test_what_is_not_known_is_said_with_the_command(make_run, shown, tmp_path):
    run = make_run('a', record=RECORD | dict(changes=None), tested=False)
    run.notes.append('x.json is damaged')
    text = shown(run)
    assert 'tools/test.py CONFIG CHECKPOINT --work-dir DIR' in text
    assert 'builds upon no other' in text and 'x.json is damaged' in text
    run.records.clear()
    assert 'tools/train.py CONFIG --work-dir DIR' in shown(run)
    assert 'The settings are not known' in shown(run, make_run('b', record=RECORD))
