import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmvireid.apis import extract_test_features, init_model, load_split
from mmvireid.evaluation import FeatureSet

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/modality_alignment.py')


def random_features(cameras=(1, 2, 3, 6), num_ids=5):
    """Two images per person and camera; cameras 3 and 6 are infrared."""
    rng = np.random.default_rng(0)
    rows = [(person, camera) for person in range(num_ids) for camera in cameras * 2]
    persons, cameras = map(np.array, zip(*rows))
    return FeatureSet(
        features=rng.normal(size=(len(rows), 4)) + np.eye(num_ids, 4)[persons],
        person_ids=persons,
        camera_ids=cameras,
        modalities=np.where(np.isin(cameras, [3, 6]), 'infrared', 'visible'),
        names=[f'{row:03}.jpg' for row in range(len(rows))],
    )


def slow_retrieval(features, query, gallery, is_left_out):
    """Rank-1 and mAP in percent, one query at a time."""
    unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
    first, precisions = [], []
    for i in np.flatnonzero(features.modalities == query):
        ranked = [
            j
            for j in np.argsort(-(unit @ unit[i]))
            if features.modalities[j] == gallery and not is_left_out(i, j)
        ]
        right = features.person_ids[ranked] == features.person_ids[i]
        first.append(right[0])
        places = np.flatnonzero(right)
        precisions.append(np.mean([(k + 1) / (place + 1) for k, place in enumerate(places)]))
    return 100 * np.mean(first), 100 * np.mean(precisions)


def same_folder(features):
    ids, cameras = features.person_ids, features.camera_ids
    return lambda i, j: ids[i] == ids[j] and cameras[i] == cameras[j]


@pytest.mark.parametrize(
    ('cameras', 'rule'),
    [((1, 2, 3, 6), same_folder), ((1, 3), lambda features: lambda i, j: i == j)],
    ids=['several cameras', 'one camera per modality'],
)
def test_the_table_equals_a_slow_loop(tool, cameras, rule):
    features = random_features(cameras)
    table = tool.compare_modalities({'model': features})
    assert table[0] == tool.HEAD
    assert [row[:2] for row in table[1:5]] == [
        ['model', 'visible to visible'],
        ['model', 'infrared to infrared'],
        ['model', 'visible to infrared'],
        ['model', 'infrared to visible'],
    ]
    assert [row[0] for row in table[5:]] == ['chance'] * 4
    unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
    for row in table[1:5]:
        query, gallery = row[1].split(' to ')
        expected = slow_retrieval(features, query, gallery, rule(features))
        assert list(map(float, row[2:4])) == pytest.approx(expected, abs=0.005)
        pairs = [
            float(unit[i] @ unit[j])
            for i in np.flatnonzero(features.modalities == query)
            for j in np.flatnonzero(features.modalities == gallery)
            if i != j and features.person_ids[i] == features.person_ids[j]
        ]
        assert float(row[4]) == pytest.approx(np.mean(pairs), abs=0.0005)


def test_models_are_compared_on_the_same_drawn_images(tool, saved, tmp_path, capsys, monkeypatch):
    first, second = saved('agw/agw_synthetic.py'), saved('mso/mso_synthetic.py')
    cfg = Config.fromfile(second[0])
    cfg.test_dataloader.batch_size = 5  # the rows come in another order
    cfg.dump(second[0])
    drawn, draw_points = [], tool.draw_points

    def spy(axes, points, feature_set, rows):
        drawn.append(sorted(feature_set.names[rows]))
        draw_points(axes, points, feature_set, rows)

    monkeypatch.setattr(tool, 'draw_points', spy)
    out = tmp_path / 'new folder'
    tool.main([*first, '--other', *second, '--out-dir', str(out), '--num-ids', '3',
               '--max-points', '12'])  # fmt: skip
    assert len(drawn) == 2
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 12
    assert cv2.imread(str(out / 'features_tsne.png')).shape[1] == 2 * 5 * 150
    printed = capsys.readouterr().out
    with open(out / 'modality_alignment.csv', newline='') as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1::4]] == ['agw_synthetic', 'mso_synthetic', 'chance']
    assert all(cell in printed for row in rows for cell in row)


def test_training_images_on_demand(tool, saved, tmp_path, monkeypatch):
    files, seen = saved('agw/agw_synthetic.py'), []

    def see(found, *args):
        seen.append(found['agw_synthetic'])

    monkeypatch.setattr(tool, 'draw_features', see)
    for split in ('test', 'train'):
        tool.main([*files, '--split', split, '--out-dir', str(tmp_path / split)])
    model = init_model(*files)
    for split, found in zip(('test', 'train'), seen):
        dataset = load_split(model.cfg, split)
        rows = [dataset.get_data_info(index) for index in range(len(dataset))]
        assert {row['name']: row['person_id'] for row in rows} == dict(
            zip(found.names, found.person_ids)
        )
    assert not {*seen[0].person_ids} & {*seen[1].person_ids}
    # as in a test: resized, not cropped or mirrored at random
    again = extract_test_features(model, load_split(model.cfg, 'train'))
    order = [list(seen[1].names).index(name) for name in again.names]
    np.testing.assert_allclose(seen[1].features[order], again.features, atol=1e-5)


def test_colours_are_modalities_and_shapes_are_identities(tool):
    features = random_features(num_ids=3)
    figure = tool.Figure()
    axes = figure.subplots()
    rows = np.arange(len(features))
    tool.draw_points(axes, np.stack([rows, rows], axis=1), features, rows)
    shapes = [parts.get_paths()[0].vertices.tobytes() for parts in axes.collections]
    assert len(shapes) == len(set(shapes)) == 3
    drawn = {}
    for parts in axes.collections:
        for (place, _), color in zip(parts.get_offsets(), parts.get_facecolors()):
            drawn.setdefault(features.modalities[int(place)], set()).add(tuple(color))
    assert set(map(len, drawn.values())) == {1}
    assert drawn['visible'] != drawn['infrared']
    labels = [handle.get_label() for handle in tool.legend_handles(np.arange(3))]
    assert labels == ['visible', 'infrared', 'id 0', 'id 1', 'id 2']


def test_bad_input_is_one_line(tool, saved, tmp_path, capsys):
    model, other = saved('agw/agw_synthetic.py'), saved('mso/mso_synthetic.py')
    out = ['--out-dir', str(tmp_path / 'out')]
    for arguments in (['--num-ids', '13'], ['--num-ids', '0'], ['--max-points', '3']):
        with pytest.raises(SystemExit, match='2'):
            tool.main([*model, *out, *arguments])
        assert 'expected --num-ids of 1 to 12' in capsys.readouterr().err
    with pytest.raises(SystemExit, match="modality_alignment: .*'none.py', no such file"):
        tool.main([*model, '--other', 'none.py', model[1], *out])
    cfg = Config.fromfile(other[0])
    cfg.test_dataloader.dataset.indices = 20
    cfg.dump(other[0])
    with pytest.raises(SystemExit, match='mso_synthetic tests on other images'):
        tool.main([*model, '--other', *other, *out])


def test_a_test_set_with_too_few_images_for_tsne_is_named(tool, saved, tmp_path):
    config, checkpoint = saved('agw/agw_synthetic.py')
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.indices = 3
    cfg.dump(config)
    with pytest.raises(SystemExit, match='tsne: `features` has 3 rows, expected at least 4'):
        tool.main([config, checkpoint, '--out-dir', str(tmp_path / 'out')])
