import json

import cv2
import numpy as np
import pytest

from mmvireid.errors import Refusal
from mmvireid.evaluation import FeatureSet, SYSUProtocol, evaluate
from mmvireid.reports import names_of, read_run
from mmvireid.storage import check_output


def test_what_was_left_is_read(make_run, leave, images, tmp_path):
    run = make_run('a', record=dict(seed=7))
    assert run.record['seed'] == 7 and not run.notes
    assert run.curves.training['loss'] == {1: 8.0, 2: 7.0, 3: 6.0, 4: 5.0}
    features = leave.features(0.8)
    settings = SYSUProtocol(['all'], [1], num_trials=3).settings(features)
    expected = evaluate(features, settings)['sysu/all-1shot']
    found = run.test.results['sysu/all-1shot']
    for name, values in expected.scores.items():
        np.testing.assert_allclose(found.scores[name], values)
    name, queries = run.test.looked_at
    assert name == 'sysu/all-1shot'
    np.testing.assert_array_equal(queries.first_rank, expected.queries.first_rank)
    np.testing.assert_array_equal(run.test.features.features, features.features)
    assert run.test.retrieval.name == 'sysu/all-1shot'
    row = run.test.row_of['cam1/0001/0002.png']
    assert run.test.features.names[row] == 'cam1/0001/0002.png'
    assert np.array_equal(
        run.test.picture(row), cv2.imread(str(tmp_path / 'data/cam1/0001/0002.png'))
    )


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('missing', "`folder` is '.*missing', which is not a folder"),
        ('empty', r'expected a work dir of tools/train\.py or tools/test\.py'),
        ('', r'expected a work dir .* It holds some: a, b\.'),
        ('file', 'which is not a folder'),
        ('a/epoch_2.pth', r'which is not a folder\. It lies in one: .*/a\.$'),
        ('a/x', r'expected a work dir .* It lies in one: .*/a\.$'),
        ('a/y', r'which is not a folder\.$'),  # which is nowhere
    ],
)
def test_what_is_no_run_is_one_line(name, message, tmp_path, leave):
    (tmp_path / 'empty').mkdir()
    check_output(tmp_path / 'file').touch()
    for run in 'ab':
        leave.start(tmp_path / run, 'x', [leave.line(1, loss=1.0)])
    (tmp_path / 'a/epoch_2.pth').touch()
    with pytest.raises(Refusal, match=message) as error:
        read_run(tmp_path / name, 'x')
    assert '\n' not in str(error.value)


def test_damaged_files_are_left_out_and_said(make_run, tmp_path):
    make_run('a')
    folder = tmp_path / 'a'
    (folder / '20260101_000000/run.json').write_text('{"seed": ')
    (folder / 'regdb_report.json').write_text('{}')
    (folder / 'llcm_report.json').write_text('{"results": {}, "provenance": {"protocol": "llcm"}}')
    (folder / 'other_report.json').write_bytes(b'\xff\x00')
    run = read_run(folder, 'a')
    assert (run.record, len(run.tests), len(run.notes)) == ({}, 1, 4)
    assert all(note.endswith('is damaged, and left out.') for note in run.notes)


def test_a_training_that_was_killed_before_it_logged_is_a_run(tmp_path):
    (tmp_path / 'x').mkdir()
    (tmp_path / 'x/run.json').write_text(json.dumps(dict(seed=1)))
    run = read_run(tmp_path, 'a')
    assert run.curves is None and run.record == dict(seed=1)
    with pytest.raises(FileNotFoundError, match=r'no results: tools/test\.py CONFIG CHECKPOINT'):
        _ = run.test


def test_features_that_are_missing_are_one_line(make_run, leave, tmp_path):
    run = make_run('a', save_features=False)
    with pytest.raises(FileNotFoundError, match='No features were saved: .* --save-features'):
        _ = run.test.features
    run = make_run('b')
    (tmp_path / 'b/features.npz').unlink()
    with pytest.raises(FileNotFoundError, match=r'no longer in .*features\.npz: .*test\.py'):
        _ = run.test.features


def test_a_folder_that_was_moved_has_its_features(make_run, tmp_path):
    make_run('a')
    (tmp_path / 'a').rename(tmp_path / 'moved')
    assert len(read_run(tmp_path / 'moved', 'a').test.features)


@pytest.mark.parametrize('rows', [slice(None, -12), slice(12, None)])  # of camera 6, of camera 1
def test_features_of_a_later_test_on_other_data_are_refused(rows, make_run, leave, tmp_path):
    run, features = make_run('a'), leave.features(0.8)
    columns = ('features', 'person_ids', 'camera_ids', 'modalities', 'names')
    others = FeatureSet(*(getattr(features, column)[rows] for column in columns))
    others.save(tmp_path / 'a/features.npz', dict(checkpoint='epoch_2.pth'))
    with pytest.raises(ValueError, match=r'of other images than .*sysu_report\.json'):
        _ = run.test.retrieval


def test_features_of_another_checkpoint_are_refused(make_run, leave, tmp_path):
    run = make_run('a')
    leave.features(0.8).save(tmp_path / 'a/features.npz', dict(checkpoint='epoch_9.pth'))
    with pytest.raises(ValueError, match=r'are of epoch_9\.pth, the results of epoch_2\.pth'):
        _ = run.test.features


def test_settings_are_chosen_by_name(make_run, leave, tmp_path):
    make_run('a', shots=[1, 2])
    assert read_run(tmp_path / 'a', 'a', 'sysu/all-2shot').test.looked_at[0] == 'sysu/all-2shot'
    with pytest.raises(ValueError, match=r"`setting` is 'x', expected one of \['sysu/all-1shot'"):
        read_run(tmp_path / 'a', 'a', 'x')
    leave.test(tmp_path / 'a', shots=[3], prefix='mine', modes=['indoor'])
    assert read_run(tmp_path / 'a', 'a').test.path.name == 'mine_sysu_report.json'
    run = read_run(tmp_path / 'a', 'a', 'sysu/all-1shot')
    assert run.test.path.name == 'sysu_report.json'


def test_pictures_are_those_of_the_data_folder_alone(make_run, images, tmp_path):
    run = make_run('a')
    cv2.imwrite(str(tmp_path / 'secret.png'), np.zeros((2, 2, 3), np.uint8))
    run.test.features.names[:2] = ['../secret.png', 'missing.png']
    assert run.test.picture(0) is None and run.test.picture(1) is None
    assert run.test.picture(2) is not None and run.test.missing == {0, 1}
    run.test.root = tmp_path
    run = read_run(tmp_path / 'a', 'a', data_root=tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='images are not in .*nowhere: --data-root'):
        run.test.picture(0)


def test_generated_pictures_are_those_of_the_run_as_it_stands(make_run, leave, tmp_path):
    """The first start drew after 10 and 20 iterations, the second went on from 15."""
    run = make_run('a')
    leave.start(run.folder, '20260102_000000', [leave.line(16, 9)], begins_at=15)
    drawn = [('20260101_000000', 9), ('20260101_000000', 100), ('20260101_000000', 20),
             ('20260102_000000', 20)]  # fmt: skip
    for start, step in drawn:
        path = run.folder / start / f'vis_data/vis_image/generated_{step}.png'
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = read_run(run.folder, 'a').generated
    assert [(path.parents[2].name, path.stem) for path in found] == [
        ('20260101_000000', 'generated_9'), ('20260102_000000', 'generated_20'),
    ]  # fmt: skip


def test_a_run_that_began_anew_is_not_what_it_was(leave, tmp_path):
    lines = [leave.line(1, loss=1.0)]
    for time, begin in (('a', 0), ('b', 1), ('c', 0), ('d', 1)):
        leave.start(tmp_path, time, lines, begins_at=begin, seed=time)
    (tmp_path / 'e').mkdir()  # stopped before it logged anything, the run of before is still there
    (tmp_path / 'e/run.json').write_text(json.dumps(dict(begins_at=0, seed='e')))
    assert [record['seed'] for record in read_run(tmp_path, 'x').records] == ['c', 'd']


def test_names_tell_runs_apart(tmp_path):
    assert names_of(['x/a/', 'y/b']) == ['a', 'b']
    assert names_of(['x/a/', 'y/a']) == ['x/a', 'y/a']
