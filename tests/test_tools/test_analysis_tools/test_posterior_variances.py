import csv
import math

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmvireid.apis import encode_test_images, init_model, load_split
from mmvireid.evaluation import FeatureSet

CODES = ('identity', 'ambiguous')


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/posterior_variances.py')


@pytest.fixture
def few_images(saved):
    """Paths of a tiny DG-VAE that tests on every eighth image, whose variances differ."""

    def alter(state):
        state['identity_encoder.log_var_head.weight'].normal_(std=0.5)

    config, checkpoint = saved('dgvae/dgvae_synthetic.py', alter)
    cfg = Config.fromfile(config)
    count = len(load_split(cfg, 'test'))
    cfg.test_dataloader.dataset.indices = list(range(0, count, 8))
    cfg.dump(config)
    return [config, checkpoint]


def codes_of(variances, features=None):
    """Codes of 2 dimensions with one variance per image: people 0 and 1, half of each infrared."""
    count = len(variances)
    columns = dict(
        person_ids=np.repeat([0, 1], count // 2),
        camera_ids=np.tile([1, 3], count // 2),
        modalities=np.tile(['visible', 'infrared'], count // 2),
        names=np.array([f'{i}.png' for i in range(count)]),
    )
    both = np.stack([0.5 * np.array(variances), 1.5 * np.array(variances)], axis=1)
    features = both if features is None else features
    return {
        key: FeatureSet(features=part, **columns)
        for name in CODES
        for key, part in ((name, features), (f'{name}_variance', both))
    }


def test_everything_is_written(tool, few_images, tmp_path, capsys):
    out = tmp_path / 'new folder'
    tool.main([*few_images, '--out-dir', str(out), '--share', '0.5', '--num-images', '2'])
    assert cv2.imread(str(out / 'variances.png')).shape[:2] == (600, 1500)
    assert cv2.imread(str(out / 'extremes.png')).shape[0] > 2 * 128
    with open(out / 'variances.csv', newline='', encoding='utf-8') as file:
        rows = {row['name']: row for row in csv.DictReader(file)}
    printed = capsys.readouterr().out
    assert all(f'{code}, {modality}' in printed for code in CODES for modality in tool.MODALITIES)
    # the same image, encoded here
    model = init_model(*few_images)
    image, sample = load_split(model.cfg, 'test')[3].values()
    cover = image.clone()
    cover[:, image.shape[1] // 2 :] = torch.tensor(tool.COVER).view(3, 1, 1)
    for key, shown in (('identity_variance', image), ('identity_variance_hidden', cover)):
        batch = model.data_preprocessor(dict(inputs=shown[None], data_samples=[sample]))
        [(modality, images)] = batch['inputs'].items()
        extractor = getattr(model, f'{modality}_extractor')
        with torch.no_grad():
            log_var = model.identity_encoder(extractor(images)).log_var
        expected = log_var.exp().mean().item()
        assert float(rows[sample.name][key]) == pytest.approx(expected, rel=1e-4)


def test_variances_stand_beside_the_codes_only_if_asked_for(tool, few_images):
    model = init_model(*few_images)
    plain = encode_test_images(model, model.extract_codes)
    full = tool.encode(model, 0.0)
    assert list(plain) == list(CODES)
    assert set(full) == {*CODES, 'identity_variance', 'ambiguous_variance'}
    for name in CODES:
        np.testing.assert_allclose(plain[name].features, full[name].features, atol=1e-5)
        assert full[f'{name}_variance'].features.shape == full[name].features.shape
        assert (full[f'{name}_variance'].features > 0).all()


@pytest.mark.parametrize('share', [0.0, 0.25, 0.9])
def test_the_lower_part_is_hidden_and_the_original_kept(tool, share):
    image = np.random.default_rng(0).integers(0, 256, (40, 8, 3)).astype(np.uint8)
    before = image.copy()
    found = tool.HideLowerPart(share)(dict(img=image, name='a'))
    assert found['name'] == 'a' and (image == before).all()
    seen = 40 - round(40 * share)
    assert (found['img'][:seen] == image[:seen]).all()
    assert (found['img'][seen:] == tool.COVER).all()


def test_the_table_equals_counts(tool):
    whole, hidden = codes_of([1, 5, 2, 6, 3, 7, 4, 8]), codes_of([2, 5, 1, 7, 4, 8, 5, 9])
    rows = {name: cells for name, *cells in tool.summarise(whole, hidden)[1:]}
    mean, mean_hidden, larger, _ = rows['identity, visible']
    assert (float(mean), float(mean_hidden)) == (2.5, 3.0)
    assert float(larger) == 75.0
    assert float(rows['ambiguous, infrared'][2]) == 75.0


def test_outliers_are_those_far_from_their_person(tool):
    features = np.array([[0, 0], [0, 0], [0, 0], [4, 0], [9, 9], [9, 9], [9, 9], [9, 12]], float)
    code = codes_of(np.arange(1, 9), features)['identity']
    expected = [1, 1, 1, 3, 0.75, 0.75, 0.75, 2.25]
    np.testing.assert_allclose(tool.distance_from_own(code), expected)


def test_extremes_are_in_order(tool, tmp_path):
    """Grey images as bright as their number: the picture's columns must be sorted."""
    codes = codes_of([3, 5, 2, 6, 1, 8, 4, 7])
    paths = {}
    for i, name in enumerate(codes['identity'].names):
        paths[name] = str(tmp_path / name)
        cv2.imwrite(paths[name], np.full((128, 64, 3), 20 * i, np.uint8))
    variances = tool.mean_variance(codes, 'identity')
    np.testing.assert_allclose(variances, [3, 5, 2, 6, 1, 8, 4, 7])
    picture = tool.draw_extremes(codes['identity'], variances, paths, count=2)
    blank = (picture == 255).all(axis=(0, 2)) | (picture[40] == 255).all(axis=1)
    starts = np.flatnonzero(~blank[1:] & blank[:-1]) + 1
    found = [[picture[y, x + 30, 0] // 20 for y in (60, 60 + 134)] for x in starts]
    assert found == [[6, 0], [4, 2], [5, 7], [1, 3]]  # largest, smallest; visible, infrared


def test_other_models_and_shares_are_refused(tool, saved, tmp_path, capsys):
    with pytest.raises(SystemExit, match='of a AGW, expected a model with Gaussian codes'):
        tool.main([*saved('agw/agw_synthetic.py'), '--out-dir', str(tmp_path / 'out')])
    for share in ('0', '1', str(math.inf)):
        with pytest.raises(SystemExit, match='2'):
            tool.main([__file__, 'a.pth', '--share', share])
        assert '--share between 0 and 1' in capsys.readouterr().err
