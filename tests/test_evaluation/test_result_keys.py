import pytest

from mmvireid.evaluation.metrics import LLCMMetric, RegDBMetric
from mmvireid.evaluation.result_keys import check_result_key, result_keys


class Silent:
    """A metric that cannot tell its results."""


def test_each_metric_tells_its_own():
    regdb, llcm = RegDBMetric(directions=['infrared-to-visible']), LLCMMetric(num_trials=1)
    named = result_keys([regdb, Silent(), llcm])
    assert named[0][0] == 'regdb/infrared-to-visible/R1' and len(named[0]) == 6
    assert named[1] is None
    assert named[2][-1] == 'llcm/visible-to-infrared/mINP' and len(named[2]) == 12


def test_a_result_that_will_not_be_is_named_with_the_nearest():
    named = result_keys([RegDBMetric()])
    check_result_key('regdb/visible-to-infrared/mAP', named, 'x')
    with pytest.raises(ValueError) as error:
        check_result_key('regdb/visible-to-infrared/map', named, '`save_best`')
    assert str(error.value).startswith(
        "check_result_key: `save_best` is 'regdb/visible-to-infrared/map', expected a result of "
        "the validation, such as 'regdb/visible-to-infrared/mAP', "
    )
    check_result_key('anything', [*named, None], 'x')  # one of the metrics cannot tell
