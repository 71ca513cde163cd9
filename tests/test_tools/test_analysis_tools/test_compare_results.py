from dataclasses import replace

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet, SYSUProtocol, evaluate
from mmvireid.evaluation.query_results import save_queries

SETTING = ['--setting', 'sysu/all-1shot']


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/compare_results.py')


def features(noise, seed=0, num_ids=30):
    """Two images of everyone before all cameras; the less noise, the better."""
    random, cameras = np.random.default_rng(seed), (1, 2, 3, 4, 5, 6)
    rows = [(p, c, i) for p in range(1, num_ids + 1) for c in cameras for i in (1, 2)]
    ids, cams, _ = np.array(rows).T
    values = np.eye(num_ids + 1)[ids] + noise * random.standard_normal((len(ids), num_ids + 1))
    names = [f'cam{c}/{p:04d}/{i:04d}.jpg' for p, c, i in rows]
    modalities = np.where(np.isin(cams, (3, 6)), 'infrared', 'visible')
    return FeatureSet(values, ids, cams, modalities, names)


def write_queries(path, feature_set, source=None, **options):
    report = evaluate(feature_set, SYSUProtocol(**options).settings(feature_set))
    queries = {name: result.queries for name, result in report.items()}
    save_queries(queries, path, dict(protocol='sysu') | (source or {}))
    return str(path)


@pytest.fixture
def files(tmp_path):
    good, poor = tmp_path / 'good.npz', tmp_path / 'poor.npz'
    features(0.3).save(good, dict(protocol='sysu', split='test'))
    features(0.8, seed=1).save(poor, dict(protocol='sysu', split='test'))
    return str(poor), str(good)


def test_features_of_two_methods_are_compared(tool, files, capsys):
    tool.main([*files, *SETTING, '--names', 'poor', 'good'])
    out = capsys.readouterr().out
    report = evaluate(features(0.8, seed=1), SYSUProtocol().settings(features(0.8, seed=1)))
    assert f'{100 * report["sysu/all-1shot"].mAP.mean():.2f}' in out
    assert 'On sysu/all-1shot, good is better by R1 and mAP, compared with poor: R1 +' in out
    assert 'over 30 people; one training each' in out


def test_a_method_is_no_different_from_itself(tool, files, capsys):
    tool.main([files[0], files[0], *SETTING])
    assert 'cannot be told apart: R1 +0.00 [+0.00, +0.00]' in capsys.readouterr().out


def test_features_and_results_of_queries_are_the_same(tool, files, tmp_path, capsys):
    queries = write_queries(tmp_path / 'q.npz', features(0.8, seed=1))
    tool.main([files[0], queries])
    out = capsys.readouterr().out
    assert out.count('R1 +0.00 [+0.00, +0.00]') == 4  # all settings


def test_several_trainings_are_joined_by_commas(tool, tmp_path, capsys):
    groups = [
        ','.join(write_queries(tmp_path / f'{n}{s}.npz', features(n, s)) for s in range(3))
        for n in (0.8, 0.3)
    ]
    tool.main([*groups, *SETTING, '--names', 'poor', 'good'])
    assert '3 trainings of each)' in capsys.readouterr().out


def refused(tool, argv, message):
    with pytest.raises(SystemExit, match=message):
        tool.main([*argv, *SETTING])


def test_unlike_results_are_refused(tool, files, tmp_path):
    mine = features(0.8, seed=1)
    fewer = write_queries(tmp_path / 'fewer.npz', features(0.8, seed=1, num_ids=29))
    refused(tool, [files[0], fewer], 'fewer.npz is of another set of queries than .*poor.npz')
    trials = write_queries(tmp_path / 'trials.npz', mine, num_trials=3)
    refused(tool, [files[0], trials], 'trials.npz is of another gallery than')
    indoor = write_queries(tmp_path / 'indoor.npz', mine, modes=['indoor'])
    refused(tool, [files[0], indoor], r"indoor.npz has no setting 'sysu/all-1shot'")
    other = write_queries(tmp_path / 'other.npz', mine, dict(protocol='llcm'))
    refused(tool, [files[0], other], r"`protocol` of .*other.npz is 'llcm', expected 'sysu'")
    data = [
        write_queries(tmp_path / f'data{s}.npz', mine, dict(test_data=dict(seed=s))) for s in 'ab'
    ]
    refused(tool, data, "`seed` of .*datab.npz is 'b', expected 'a'")


def test_trainings_with_other_seeds_are_alike(tool, tmp_path, capsys):
    paths = [
        write_queries(tmp_path / f'{s}.npz', features(0.5, s), dict(seed=s, test_data=dict(seed=0)))
        for s in (1, 2)
    ]
    tool.main([*paths, *SETTING])
    assert 'On sysu/all-1shot' in capsys.readouterr().out


def test_what_is_no_result_is_refused(tool, files, tmp_path):
    refused(tool, [files[0], str(tmp_path / 'nothing.npz')], 'nothing.npz is not a file')
    (tmp_path / 'report.json').write_text('{}')
    message = 'report.json is no .npz file, expected features, or the <protocol>_queries.npz'
    refused(tool, [files[0], str(tmp_path / 'report.json')], message)
    np.savez(tmp_path / 'else.npz', x=1)
    refused(tool, [files[0], str(tmp_path / 'else.npz')], 'expected the results of single queries')
    anonymous = tmp_path / 'anonymous.npz'
    features(0.8).save(anonymous)
    refused(tool, [files[0], str(anonymous)], 'anonymous.npz does not say of which protocol')


def test_features_of_another_order_are_the_same(tool, files, tmp_path, capsys):
    mine = features(0.8, seed=1)
    order = np.random.default_rng(0).permutation(len(mine))
    columns = ('features', 'person_ids', 'camera_ids', 'modalities', 'names')
    shuffled = replace(mine, **{key: getattr(mine, key)[order] for key in columns})
    shuffled.save(tmp_path / 'shuffled.npz', dict(protocol='sysu'))
    tool.main([files[0], str(tmp_path / 'shuffled.npz'), *SETTING])
    assert 'R1 +0.00 [+0.00, +0.00]' in capsys.readouterr().out
