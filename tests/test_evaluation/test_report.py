import csv
import json

import numpy as np
import pytest

from mmvireid.evaluation import SettingResult, write_trials


@pytest.fixture
def result():
    return SettingResult(
        cmc=np.array([[0.25, 0.5, 1.0], [0.75, 0.75, 1.0]]),
        mAP=np.array([0.5, 0.7]),
        mINP=np.array([0.1, 0.1]),
        num_valid_queries=np.array([4, 4]),
        num_dropped_queries=np.array([1, 1]),
    )


def test_scores_are_percent_and_late_ranks_are_the_last_one(result):
    scores = {name: value.tolist() for name, value in result.scores.items()}
    assert scores.keys() == {'R1', 'R5', 'R10', 'R20', 'mAP', 'mINP'}
    assert scores['R1'] == [25, 75]
    assert scores['R5'] == scores['R20'] == [100, 100]


def test_dictionary_holds_fractions_and_is_plain(result):
    values = json.loads(json.dumps(result.to_dict()))
    assert values['cmc'] == [0.5, 0.625, 1.0]
    assert values['cmc_std'] == [0.25, 0.125, 0.0]
    assert values['mAP'] == pytest.approx(0.6)
    assert values['mAP_std'] == pytest.approx(0.1)  # sqrt(((0.5-0.6)**2 + (0.7-0.6)**2) / 2)
    assert values['num_valid_queries'] == 4
    assert values['num_dropped_queries'] == 1
    assert [trial['cmc'][0] for trial in values['per_trial']] == [0.25, 0.75]
    assert values['per_trial'][1]['num_valid_queries'] == 4


def test_what_was_written_is_read(result):
    read = SettingResult.from_dict(json.loads(json.dumps(result.to_dict())))
    for name, values in result.scores.items():
        assert read.scores[name].tolist() == values.tolist()
    assert read.to_dict()['num_dropped_queries'] == 1
    with pytest.raises(KeyError):
        SettingResult.from_dict(dict(per_trial=[{}]))


def test_csv_has_a_row_per_trial(result, tmp_path):
    write_trials({'a/x': result, 'a/y': result}, tmp_path / 'new' / 'trials.csv')
    with open(tmp_path / 'new' / 'trials.csv') as file:
        rows = list(csv.DictReader(file))
    assert [(row['setting'], row['trial']) for row in rows] == [
        ('a/x', '0'), ('a/x', '1'), ('a/y', '0'), ('a/y', '1')]  # fmt: skip
    assert float(rows[1]['R1']) == 75
    assert float(rows[1]['mAP']) == 70
    assert rows[1]['num_dropped_queries'] == '1'
