import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmvireid.apis import extract_features, init_model
from mmvireid.evaluation import FeatureSet

ROOT = Path(__file__).parents[3]
CODES = ('identity', 'ambiguous')


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/disentanglement.py')


def random_codes(num_images=60, num_ids=6):
    """Codes of an all-day SYSU-MM01 test: infrared cameras 3 and 6."""
    rng = np.random.default_rng(0)
    cameras = np.tile([1, 3, 5, 6], num_images // 4)
    columns = dict(
        person_ids=np.repeat(np.arange(num_ids), num_images // num_ids),
        camera_ids=cameras,
        modalities=np.where(np.isin(cameras, [3, 6]), 'infrared', 'visible'),
    )
    columns['names'] = [
        f'cam{camera}/{person:04}/{i:04}.jpg'
        for i, (camera, person) in enumerate(zip(cameras, columns['person_ids']))
    ]
    return {
        name: FeatureSet(features=rng.normal(size=(num_images, size)), **columns)
        for name, size in zip(CODES, (8, 3))
    }


def test_everything_is_written_and_one_pass_gives_both_codes(tool, saved, tmp_path, capsys):
    out = tmp_path / 'new folder'
    tool.main([*saved('dgvae/dgvae_synthetic.py'), '--baseline', *saved('agw/agw_synthetic.py'),
               '--out-dir', str(out), '--max-points', '40', '--num-ids', '4'])  # fmt: skip
    sizes = {'distances.png': (4, 15), 'codes_tsne.png': (10, 10)}  # inches
    for name, inches in sizes.items():
        assert cv2.imread(str(out / name)).shape[:2] == tuple(150 * length for length in inches)
    printed = capsys.readouterr().out
    settings = [f'sysu-{code}/all-1shot' for code in (*CODES, 'both', 'chance')]
    assert all(setting in printed for setting in settings)
    assert all(word in printed for word in ('baseline', 'delta', 'modality'))
    with open(out / 'retrieval.csv', newline='') as file:
        assert {row['setting'] for row in csv.DictReader(file)} == set(settings)


def test_codes_are_those_of_the_model_for_each_image(tool, saved):
    """Batches mix the modalities, and the model sorts them: every row must keep its name."""
    model = init_model(*saved('dgvae/dgvae_synthetic.py'))
    model.cfg.test_dataloader.batch_size = 7
    codes = tool.encode_test_images(model, model.extract_codes)
    root = Path(model.cfg.test_dataloader.dataset.data_root)
    for encoder, code in (
        (model.identity_encoder, 'identity'),
        (model.ambiguous_encoder, 'ambiguous'),
    ):
        model.identity_encoder = encoder  # retrieval features are what this one predicts
        for row in range(0, len(codes[code]), 9):
            image, modality = root / codes[code].names[row], codes[code].modalities[row]
            feature = codes[code].features[row]
            expected = extract_features(model, [image], modality)[0]
            np.testing.assert_allclose(feature / np.linalg.norm(feature), expected, atol=1e-5)


def test_both_codes_weigh_the_same(tool):
    codes = random_codes()
    both = tool.join(codes).features
    cosines = []
    for features in (both, *(code.features for code in codes.values())):
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        cosines.append(unit @ unit.T)
    np.testing.assert_allclose(cosines[0], (cosines[1] + cosines[2]) / 2, atol=1e-5)


def test_retrieval_of_each_code_is_its_own(tool):
    """A code that tells the identity ranks perfectly, random ones do not."""
    codes = random_codes()
    one_hot = np.eye(6)[codes['identity'].person_ids]
    codes['identity'] = replace(codes['identity'], features=one_hot)
    report = tool.compare_retrieval(codes, dict(type='SYSUMetric', modes=['all'], shots=[1]))
    scores = {name: result.scores['mAP'].mean() for name, result in report.items()}
    assert list(scores) == [f'sysu-{code}/all-1shot' for code in (*CODES, 'both', 'chance')]
    identity, ambiguous, both, chance = scores.values()
    assert identity == 100
    assert max(ambiguous, chance) < 60
    assert ambiguous < both


def test_chance_equals_a_count_of_pairs(tool):
    labels = np.random.default_rng(0).integers(0, 4, 30)
    pairs = [labels[i] == labels[j] for i in range(30) for j in range(30) if i != j]
    assert tool.chance_of_equal(labels) == pytest.approx(np.mean(pairs))


def test_labels_are_read_from_the_code_that_holds_them(tool):
    codes = random_codes()
    one_hot = np.eye(6)[codes['identity'].person_ids]
    side = np.where(codes['identity'].modalities == 'visible', 1.0, -1.0)[:, None]
    codes['identity'] = replace(codes['identity'], features=one_hot)
    codes['ambiguous'] = replace(codes['ambiguous'], features=side)
    rows = {name: list(map(float, cells)) for name, *cells in tool.readable_labels(codes)[1:]}
    assert rows['identity'][0] == rows['ambiguous'][1] == 100
    assert rows['chance'] == pytest.approx([100 * 9 / 59, 100 * 29 / 59], abs=0.01)


def test_models_and_data_that_do_not_fit_are_refused(tool, saved, tmp_path):
    model, other = saved('dgvae/dgvae_synthetic.py'), saved('agw/agw_synthetic.py')
    with pytest.raises(SystemExit, match='of a AGW, expected a model with two codes'):
        tool.main([*other, '--out-dir', str(tmp_path / 'out')])
    cfg = Config.fromfile(other[0])
    cfg.test_dataloader.dataset.indices = 20
    cfg.dump(other[0])
    with pytest.raises(SystemExit, match='--baseline tests on other images'):
        tool.main([*model, '--baseline', *other, '--out-dir', str(tmp_path / 'out')])
    with pytest.raises(SystemExit, match='disentanglement: .*does not fit the model'):
        tool.main([model[0], other[1]])


def test_bad_arguments_are_one_line(tool, saved, tmp_path, capsys):
    with pytest.raises(SystemExit, match='2'):
        tool.main([__file__, 'a.pth', '--num-ids', '0'])
    assert '--num-ids of at least 1' in capsys.readouterr().err
    file, out = tmp_path / 'file', ['--out-dir', str(tmp_path / 'out')]
    file.touch()
    with pytest.raises(SystemExit, match='disentanglement: .*which cannot be made'):
        tool.main([__file__, 'a.pth', '--out-dir', str(file)])
    missing = "disentanglement: .*`config` is 'missing.py', no such file"
    with pytest.raises(SystemExit, match=missing):
        tool.main(['missing.py', 'a.pth', *out])
    with pytest.raises(SystemExit, match=missing):
        tool.main([*saved('dgvae/dgvae_synthetic.py'), '--baseline', 'missing.py', 'a.pth', *out])
