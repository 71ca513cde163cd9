from itertools import pairwise

import pytest

from mmvireid.reports import learning as module
from mmvireid.reports.learning import learning


@pytest.fixture
def drawn(parse):
    """Plots by their captions."""

    def draw(*runs):
        page = parse(learning(runs).body)
        return dict(zip(page.captions, page.plots)), page.text

    return draw


def test_a_plot_for_each_curve(make_run, drawn):
    plots, text = drawn(make_run('a'))
    assert [*plots] == ['loss', 'lr', 'grad_norm', 'sysu/all-1shot/R1']
    loss = plots['loss']['data'][0]
    assert (loss['x'], loss['y']) == ([1, 2, 3, 4], [8, 7, 6, 5])
    assert plots['sysu/all-1shot/R1']['data'][0]['x'] == [2]  # an epoch has two iterations
    assert 'stage' not in text and 'No gradient norms' not in text


def test_stages_are_where_they_begin(make_run, drawn):
    plots, text = drawn(make_run('a', record=dict(stages=[['warm', 0], ['joint', 2], ['late', 9]])))
    assert [shape['x0'] for shape in plots['loss']['layout']['shapes']] == [2]
    assert [note['text'] for note in plots['loss']['layout']['annotations']] == ['warm', 'joint']
    assert 'Dotted lines: a stage begins.' in text


def test_a_stage_without_a_term_is_a_gap(make_run, drawn):
    run = make_run('a')
    del run.curves.training['loss'][3]
    run.curves.training['loss_late'] = {3: 1.0, 4: 2.0}
    plots, _ = drawn(run)
    assert plots['loss']['data'][0]['y'] == [8, 7, None, 5]
    assert plots['loss_late']['data'][0]['x'] == [3, 4]


def test_runs_share_a_plot(make_run, drawn):
    first, second = make_run('a'), make_run('b')
    del second.curves.training['lr']
    plots, _ = drawn(first, second)
    assert [trace['name'] for trace in plots['loss']['data']] == ['a', 'b']
    assert [trace['name'] for trace in plots['lr']['data']] == ['a']


def test_long_trainings_are_thinned_out(make_run, drawn, monkeypatch):
    monkeypatch.setattr(module, '_MAX_POINTS', 10)
    run = make_run('a')
    run.curves.training = {'loss': {step: float(step) for step in range(1, 96)}}
    x = drawn(run)[0]['loss']['data'][0]['x']
    assert len(x) == 10 and x[0] == 1 and len({b - a for a, b in pairwise(x)}) == 1


def test_what_is_not_there_is_said(make_run, drawn, parse):
    run, empty = make_run('a'), make_run('b')
    empty.curves = None
    assert 'b has none.' in drawn(run, empty)[1]
    assert 'tools/train.py CONFIG --work-dir' in parse(learning([empty]).body).text
    del run.curves.training['grad_norm']
    run.curves.validation.clear()
    text = drawn(run)[1]
    assert 'FiniteLossHook logs them' in text and 'Nothing was validated' in text
