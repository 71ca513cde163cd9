import numpy as np

from mmvireid.reports import read_run
from mmvireid.reports.results import results


def test_the_table_and_every_trial(make_run, parse):
    run = make_run('a', shots=[1, 2])
    page = parse(results([run]).body)
    scores = run.test.results['sysu/all-1shot'].scores
    mean, std = scores['R1'].mean(), scores['R1'].std()
    assert std > 0
    assert f'sysu/all-1shot {mean:.2f} ± {std:.2f}' in page.text
    assert len(page.plots) == 2
    (trace,) = page.plots[0]['data']
    shown = {name: [y for x, y in zip(trace['x'], trace['y']) if x == name] for name in trace['x']}
    for name, values in shown.items():
        np.testing.assert_allclose(values, scores[name], rtol=1e-4)
    assert {*shown} == {'R1', 'mAP', 'mINP'}


def test_runs_stand_below_each_other(make_run, parse):
    page = parse(
        results([make_run('a'), make_run('b', noise=0.1), make_run('c', tested=False)]).body
    )
    rows = page.text.split('sysu/all-1shot')
    assert rows[1].startswith(' a ') and rows[2].startswith(' b 100.00 ± 0.00')
    assert [trace['name'] for trace in page.plots[0]['data']] == ['a', 'b']


def test_no_results_are_a_sentence(make_run, parse):
    text = parse(results([make_run('a', tested=False)]).body).text
    assert 'There are none: tools/test.py CONFIG CHECKPOINT --work-dir' in text


def test_two_evaluators_of_one_protocol_are_told_apart(make_run, leave, parse):
    folder = make_run('a').folder
    leave.test(folder, prefix='zero', distance='euclidean')
    text = parse(results([read_run(folder, 'a')]).body).text
    assert 'sysu/all-1shot of zero_sysu_report.json' in text
