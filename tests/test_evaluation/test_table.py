import numpy as np

from mmvireid.evaluation import SettingResult, format_table


def result(first):
    return SettingResult(
        cmc=np.array([[first, 1.0], [first + 0.1, 1.0]]),
        mAP=np.array([0.5, 0.7]),
        mINP=np.array([0.1, 0.1]),
        num_valid_queries=np.array([4, 4]),
        num_dropped_queries=np.array([0, 0]),
    )


def test_chance_stands_beneath_the_setting_of_its_name():
    report = {'sysu/all-1shot': result(0.4), 'sysu-rerank/all-1shot': result(0.6)}
    lines = format_table(report, {'sysu/all-1shot': result(0.0)}).splitlines()
    assert lines[0].split() == ['setting', 'R1', 'R5', 'R10', 'R20', 'mAP', 'mINP', 'queries',
                                'trials']  # fmt: skip
    assert [line.split()[0] for line in lines[2:]] == [
        'sysu/all-1shot', 'chance', 'sysu-rerank/all-1shot']  # fmt: skip
    assert lines[2].split()[1:4] == ['45.00', '±', '5.00']
    assert lines[3].split()[1] == '5.00'
    assert lines[2].split()[-2:] == ['4', '2']
    assert len({len(line) for line in lines}) == 1


def test_the_figures_that_are_asked_for_are_shown_in_their_order():
    lines = format_table({'a/b': result(0.4)}, scores=['mAP', 'R2']).splitlines()
    assert lines[0].split() == ['setting', 'mAP', 'R2', 'queries', 'trials']
    assert lines[2].split()[1::3] == ['60.00', '100.00', '4']


def test_chance_is_optional():
    assert len(format_table({'a/b': result(0.4)}).splitlines()) == 3
