import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from mmvireid.apis import ReIDInferencer, extract_features, init_model
from mmvireid.evaluation import FeatureSet

CONFIG = str(Path(__file__).parents[2] / 'configs/agw/agw_synthetic.py')


@pytest.fixture
def inferencer(shrink):
    torch.manual_seed(0)
    return ReIDInferencer(init_model(shrink(CONFIG)))


@pytest.fixture
def crops(tmp_path):
    """Three pictures in a folder with something else, and one that cannot be read."""
    rng = np.random.default_rng(0)
    folder = tmp_path / 'crops'
    (folder / 'b').mkdir(parents=True)
    for name in ('b/1.png', 'a.png', 'b/0.png'):
        cv2.imwrite(str(folder / name), rng.integers(0, 256, (40, 20, 3), dtype=np.uint8))
    (folder / 'notes.txt').write_text('no picture')
    (folder / '.hidden.png').write_bytes(b'')
    (folder / 'empty.jpg').write_bytes(b'')
    return folder


def test_features_of_a_table_are_those_of_the_test_to_the_last_bit(shrink, tmp_path):
    cfg = shrink(CONFIG)
    cfg.model.flip_test = True
    cfg.test_evaluator.save_features = str(tmp_path / 'features.npz')
    runner = Runner.from_cfg(cfg)
    checkpoint = str(tmp_path / 'model.pth')
    torch.save(runner.model.state_dict(), checkpoint)
    runner.test()
    expected = FeatureSet.load(tmp_path / 'features.npz')

    root = Path(cfg.test_dataloader.dataset.data_root)
    table = root / 'test_images.csv'
    columns = (expected.names, expected.person_ids, expected.camera_ids, expected.modalities)
    with table.open('w', newline='') as file:
        csv.writer(file).writerows([('path', 'person_id', 'camera_id', 'modality'), *zip(*columns)])
    inferencer = ReIDInferencer(cfg, checkpoint)
    found = inferencer(table, num_workers=2)
    inferencer(table).save(tmp_path / 'found', inferencer.source)
    for features in (found, FeatureSet.load(tmp_path / 'found.npz')):
        for key in ('features', 'flip_features', *FeatureSet.__match_args__[1:5]):
            np.testing.assert_array_equal(getattr(features, key), getattr(expected, key))
    assert FeatureSet.load_source(tmp_path / 'found.npz')['checkpoint'] == checkpoint


def test_files_folders_and_arrays_give_the_same_features(inferencer, crops):
    names = ['a.png', 'b/0.png', 'b/1.png']
    paths = [str(crops / name) for name in names]
    expected = extract_features(inferencer.model, paths, 'infrared')
    folder = inferencer(crops, 'infrared', camera_id=4, on_unreadable='skip')
    arrays = inferencer([cv2.imread(path) for path in paths], 'infrared')
    mixed = inferencer([crops / 'b', paths[0]], 'infrared')
    assert folder.names.tolist() == names
    assert arrays.names.tolist() == [f'array/00000{i}' for i in range(3)]
    assert mixed.names.tolist() == [*paths[1:], paths[0]]
    assert (set(folder.camera_ids), set(folder.person_ids)) == ({4}, {-1})
    np.testing.assert_array_equal(mixed.features, expected[[1, 2, 0]])
    for found in (folder, arrays):
        np.testing.assert_array_equal(found.features, expected)
    assert set(folder.modalities) == {'infrared'}


@pytest.mark.parametrize('num_workers', [0, 1])
def test_what_cannot_be_read_stops_or_is_listed(num_workers, inferencer, crops):
    with pytest.raises(ValueError, match=r'cannot read .*empty\.jpg'):
        inferencer(crops, 'visible', batch_size=2, num_workers=num_workers)
    found = inferencer(
        crops, 'visible', batch_size=2, num_workers=num_workers, on_unreadable='skip'
    )
    assert 'empty.jpg' not in found.names
    assert list(inferencer.unreadable) == ['empty.jpg']
    with pytest.raises(ValueError, match='none of the 1 pictures can be read'):
        inferencer(crops / 'empty.jpg', 'visible', on_unreadable='skip')
    inferencer(crops / 'a.png', 'visible')
    assert inferencer.unreadable == {}


def test_bf16_is_near_and_another_thing(inferencer, crops):
    exact, coarse = (inferencer(crops / 'b', 'visible', amp=amp).features for amp in (False, True))
    assert 0 < np.abs(exact - coarse).max() < 0.05
    assert coarse.dtype == np.float32


def test_the_checksum_is_that_of_the_weights_and_of_the_pipeline(inferencer):
    model = inferencer.model

    def checksum(size=(48, 32)):
        model.cfg.test_dataloader.dataset.pipeline[0]['size'] = size
        return ReIDInferencer(model).source['checksum']

    first, same, smaller = checksum(), checksum([48, 32]), checksum((48, 24))
    with torch.no_grad():
        model.neck.bn.running_var[0] += 1
    assert first == same
    assert len({first, smaller, checksum()}) == 3


def test_bad_input_is_named(inferencer, crops, shrink):
    cases = [
        (([], 'visible'), '`inputs` has no image'),
        ((crops / 'a.png', 'thermal'), "`modality` is 'thermal'"),
        ((crops / 'a.png',), '`modality` of 1 of 1 rows is not one of .*None'),
        (([crops / 'a.png', crops / 'a.png'], 'visible'), '1 images stand in several rows'),
        ((crops / 'a.png', 'visible', -1, None, 0), '`batch_size` is 0'),
        ((crops / 'none.png', 'visible'), r'cannot read .*none\.png \(No such file'),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            inferencer(*arguments)
    with pytest.raises(ValueError, match="`on_unreadable` is .'ignore'"):
        inferencer(crops, 'visible', on_unreadable='ignore')
    with pytest.raises(ValueError, match='`weights` is None, expected a checkpoint'):
        ReIDInferencer('agw_synthetic')
    with pytest.raises(KeyError, match='near: agw_synthetic'):
        ReIDInferencer('agw_syntetic', 'w.pth')
    for device in ('gpu', 'meta', 'cuda:99', 'xpu:9'):
        with pytest.raises(ValueError, match=f"`device` is '{device}', expected cpu, or cuda"):
            ReIDInferencer(inferencer.model, device=device)
    with pytest.raises(ValueError, match='`weights` or `cfg_options` is given beside a model'):
        ReIDInferencer(inferencer.model, 'w.pth')
