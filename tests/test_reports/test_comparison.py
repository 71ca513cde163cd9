from mmvireid.evaluation.comparison import compare, in_points
from mmvireid.reports.comparison import comparison


def test_runs_are_compared_as_by_the_command(make_run, parse):
    runs = [make_run('a', shots=[1, 2]), make_run('b', noise=0.2), make_run('c', noise=0.8)]
    text = parse(comparison(runs).body).text
    scores = [run.test.queries[0]['sysu/all-1shot'].by_identity('sysu/all-1shot') for run in runs]
    found = compare(scores[:1], scores[1:2])
    assert f'{found.figures["R1"][0]:.2f} → {found.figures["R1"][1]:.2f}' in text
    assert in_points(found.differences['mAP']) in text
    assert found.sentence('a', 'b') in text
    assert 'b has no sysu/all-2shot.' in text
    assert 'c and a cannot be told apart' in text


def test_unlike_results_are_refused_in_a_sentence(make_run, parse):
    runs = [make_run('a'), make_run('b', num_trials=2), make_run('c', tested=False),
            make_run('d', source=dict(dataset='other'))]  # fmt: skip
    text = parse(comparison(runs).body).text
    assert '`num_trials` of b is 2, expected 3, as of a: they cannot be compared.' in text
    assert 'c against a There are no results: tools/test.py' in text
    assert "`dataset` of d is 'other', expected 'sysu_mm01'" in text


def test_one_run_is_not_compared(make_run, parse):
    assert 'There is one run: tools/analysis_tools/report.py' in (
        parse(comparison([make_run('a')]).body).text
    )
