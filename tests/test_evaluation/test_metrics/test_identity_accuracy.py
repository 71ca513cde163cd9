import pytest

from mmvireid.evaluation.metrics import IdentityAccuracy


def test_it_counts_what_is_right():
    metric = IdentityAccuracy()
    truth, predicted = [0, 1, 2, 2, 1], [0, 2, 2, 2, 0]
    for start in (0, 2, 4):  # batches
        pairs = zip(truth[start : start + 2], predicted[start : start + 2])
        metric.process(None, [dict(gt_label=t, pred_label=p) for t, p in pairs])
    results = metric.evaluate(size=5)
    assert results == {'identities/accuracy': pytest.approx(60.0)}
    assert list(results) == metric.result_keys()


def test_a_prefix_is_in_the_key():
    metric = IdentityAccuracy(prefix='seen')
    metric.process(None, [dict(gt_label=0, pred_label=0)])
    assert metric.evaluate(size=1) == {'seen/accuracy': 100.0}
    assert metric.result_keys() == ['seen/accuracy']
