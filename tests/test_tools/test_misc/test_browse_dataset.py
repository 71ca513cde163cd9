from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.runner import Runner

from mmvireid.structures import ReIDDataSample

CONFIG = str(Path(__file__).parents[3] / 'configs/caj/caj_synthetic.py')


class Enough(Exception):
    """Ends a training."""


def test_it_shows_the_images_of_the_first_iteration(
    load_tool, shrink, tmp_path, monkeypatch, capsys
):
    cfg = shrink(CONFIG)
    cfg.dump(tmp_path / 'config.py')
    runner = Runner.from_cfg(cfg)
    batches = []

    def step(data, optim_wrapper):
        batches.append(runner.model.data_preprocessor(data, training=True))
        raise Enough

    runner.model.train_step = step
    with pytest.raises(Enough):
        runner.train()
    [batch] = batches
    to_pictures = runner.model.data_preprocessor.to_pictures
    expected = [p for images in batch['inputs'].values() for p in to_pictures(images)]

    tool = load_tool('misc/browse_dataset.py')
    [(name, pictures, samples)] = tool.training_batch(cfg, 0)
    assert name == '' and len(pictures) == len(expected) == 36  # 4 people x 3 images x 3 views
    assert all(map(np.array_equal, pictures, expected))
    assert [s.person_id for s in samples] == [s.person_id for s in batch['data_samples']]

    columns = {}
    monkeypatch.setattr(
        tool, 'draw_image_grid', lambda found, *_: columns.update(found) or found['infrared 1'][0]
    )
    out = tmp_path / 'batch.png'
    tool.main([str(tmp_path / 'config.py'), '--num-ids', '3', '--out', str(out)])
    assert list(columns) == [
        f'{v} {i}' for v in ('visible', 'exchanged', 'infrared') for i in (1, 2)
    ]
    assert {len(column) for column in columns.values()} == {3}
    assert np.array_equal(columns['exchanged 2'][1], expected[12 + 4])  # of the second person
    assert np.array_equal(cv2.imread(str(out)), expected[24])
    with pytest.raises(SystemExit):
        tool.main([str(tmp_path / 'config.py'), '--iteration', '-1'])
    assert "argument --iteration: '-1' is not a number of at least 0" in capsys.readouterr().err
    with pytest.raises(SystemExit, match='browse_dataset: .*--iteration is 2, expected less than'):
        tool.main([str(tmp_path / 'config.py'), '--iteration', '2'])


def test_people_without_all_views_have_no_row(load_tool):
    choose = load_tool('misc/browse_dataset.py').choose
    people = [(1, 'visible'), (2, 'visible'), (2, 'visible'), (2, 'infrared')]
    samples = [ReIDDataSample(person_id=person, modality=view) for person, view in people]
    pictures = [np.full((2, 2, 3), i) for i in range(4)]
    columns, rows = choose(pictures, samples, 5, 5)
    assert rows == ['person 2']
    assert {view: [p[0, 0, 0] for p in column] for view, column in columns.items()} == {
        'visible 1': [1],
        'visible 2': [2],
        'infrared': [3],
    }
    with pytest.raises(ValueError, match=r"2 people, none .* in all of \['visible', 'infrared'"):
        choose(pictures[::3], samples[::3], 5, 5)
