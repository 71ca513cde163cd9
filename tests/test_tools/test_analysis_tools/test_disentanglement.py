import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmvireid.apis import extract_features, init_model, load_split
from mmvireid.datasets.rendering import LAYOUTS, picture_factors
from mmvireid.evaluation import FeatureSet

ROOT = Path(__file__).parents[3]
CODES = ('identity', 'ambiguous')
QUESTIONS = ['identity', 'across modalities', 'modality', 'camera', 'facing', 'illumination']


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
    settings = [f'sysu-{code}/all-1shot' for code in (*CODES, 'joined', 'chance')]
    assert all(setting in printed for setting in settings)
    assert 'delta' in printed
    content = json.loads((out / 'probes.json').read_text())
    assert [Path(content[key]).name for key in ('config', 'checkpoint')] == [
        'dgvae_synthetic.py', 'dgvae_synthetic.pth',
    ]  # fmt: skip
    rows = ['baseline', *CODES, 'pooled map', 'pixels', 'chance']
    assert list(content['accuracy']) == rows
    for row in rows:
        assert list(content['accuracy'][row]) == QUESTIONS
        cells = ' '.join(f'{value:.1f}' for value in content['accuracy'][row].values())
        assert f'{row} {cells}' in [' '.join(line.split()) for line in printed.splitlines()]
    assert content['accuracy']['chance']['camera'] == pytest.approx(100 / 6)
    with open(out / 'retrieval.csv', newline='') as file:
        assert {row['setting'] for row in csv.DictReader(file)} == set(settings)


def test_codes_are_those_of_the_model_for_each_image(tool, saved):
    """Batches mix the modalities, and the model sorts them: every row must keep its name."""
    model = init_model(*saved('dgvae/dgvae_synthetic.py'))
    model.cfg.test_dataloader.batch_size = 7
    codes = tool.encode(model)
    assert list(codes) == [*CODES, 'pooled map', 'pixels']
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
    assert list(scores) == [f'sysu-{code}/all-1shot' for code in (*CODES, 'joined', 'chance')]
    identity, ambiguous, joined, chance = scores.values()
    assert identity == 100
    assert max(ambiguous, chance) < 60
    assert ambiguous < joined


@pytest.mark.parametrize(
    ('method', 'codes'),
    [
        ('agw', ['feature']),
        ('aligngan', ['feature']),
        ('hicmd', ['prototype', 'style', 'pose', 'illumination', 'pooled map']),
    ],
)
def test_every_method_has_codes(tool, saved, method, codes):
    model = init_model(*saved(f'{method}/{method}_synthetic.py'))
    found = tool.encode(model)
    assert list(found) == [*codes, 'pixels']
    if method == 'hicmd':
        # the map is divided into the attributes, by block of the decoder first
        shape = len(found['style']), model.visible_attribute_encoder.num_blocks
        blocks = [
            found[name].features.reshape(*shape, -1) for name in ('style', 'pose', 'illumination')
        ]
        attributes = np.concatenate(blocks, axis=2).reshape(shape[0], -1)
        np.testing.assert_allclose(found['pooled map'].features, attributes, atol=1e-5)
    # pixels: means of fields of the normalised image, visible ones first in a batch
    row = found['pixels']
    loaded = load_split(model.cfg, 'test')[0]
    assert row.names[0] == loaded['data_samples'].name
    image = model.data_preprocessor(
        dict(inputs=loaded['inputs'][None], data_samples=[loaded['data_samples']])
    )['inputs'][row.modalities[0]][0].numpy()
    height, width = image.shape[1] // 16, image.shape[2] // 8
    fields = image.reshape(3, 16, height, 8, width).mean(axis=(2, 4))
    np.testing.assert_allclose(row.features[0], fields.ravel(), atol=1e-5)


@pytest.fixture(scope='module')
def known():
    """Images of the first 24 test people of size 'small' without features, and their factors."""
    shots = LAYOUTS['sysu']('small', 0).test_shots()
    people = sorted({shot.person_id for shot in shots})[:24]
    shots = [shot for shot in shots if shot.person_id in people]
    return FeatureSet(
        features=np.zeros((len(shots), 1)),
        person_ids=[shot.person_id for shot in shots],
        camera_ids=[shot.camera.camera_id for shot in shots],
        modalities=[shot.camera.modality for shot in shots],
        names=[shot.path for shot in shots],
    ), [picture_factors(0, shot) for shot in shots]


def test_what_was_planted_is_read_and_nothing_else(tool, known):
    """A code per factor, which holds that factor and nothing else."""
    images, factors = known
    questions = tool.ask(images, factors, seed=0)
    assert list(questions) == QUESTIONS
    rng, codes = np.random.default_rng(0), {}
    for name in ('identity', 'modality', 'facing', 'illumination'):
        _, kinds = np.unique(questions[name].labels, return_inverse=True)
        code = rng.normal(size=(kinds.max() + 1, 32))[kinds] + 0.1 * rng.normal(
            size=(len(kinds), 32)
        )
        codes[name] = replace(images, features=code)
    codes['nothing'] = replace(images, features=rng.normal(size=(len(images), 32)))
    found = tool.read(codes, questions, tool.linear_probe())
    for name in codes:
        for key, accuracy in found[name].items():
            if key == name or (name, key) == ('identity', 'across modalities'):
                assert accuracy > 97, (name, key)
            elif key in ('identity', 'modality', 'facing', 'illumination') and name == 'nothing':
                assert abs(accuracy - found['chance'][key]) < 10, (name, key)
    # modality says nothing about who it is and how bright, and leaves two or four cameras
    assert found['modality']['identity'] < 10
    assert found['modality']['illumination'] == pytest.approx(100 / 3, abs=10)
    assert found['modality']['camera'] == pytest.approx(100 * (4 / 4 + 2 / 2) / 6, abs=10)
    assert found['chance'] == {
        'identity': 100 / 24, 'across modalities': 100 / 24, 'modality': 50,
        'camera': pytest.approx(100 / 6), 'facing': pytest.approx(100 / 3),
        'illumination': pytest.approx(100 / 3),
    }  # fmt: skip


def test_nobody_is_held_out_and_fitted_to_unless_it_is_asked_who_it_is(tool, known):
    images, factors = known
    for name, question in tool.ask(images, factors, seed=0).items():
        people = images.person_ids[question.rows]
        for fold in np.unique(question.folds):
            held_out = question.folds == fold
            shared = {*people[held_out]} & {*people[~held_out]}
            if name in ('identity', 'across modalities'):
                assert shared == {*people}
            else:
                assert shared == set()
        if name == 'across modalities':
            assert np.array_equal(question.folds, images.modalities[question.rows] == 'visible')


def test_thirds_are_those_of_each_group(tool):
    values, groups = np.arange(60.0), np.arange(60) // 30
    expected = np.tile(np.repeat([0, 1, 2], 10), 2)
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_array_equal(tool.thirds(values[order], groups[order]), expected[order])


def test_images_without_known_factors_are_asked_less(tool, known):
    assert list(tool.ask(known[0], None, seed=0)) == QUESTIONS[:4]


def test_a_baseline_in_another_order_is_put_in_order(tool, known):
    images = replace(known[0], features=np.arange(len(known[0]))[:, None])
    rows = np.random.default_rng(0).permutation(len(images))
    columns = ('features', 'person_ids', 'camera_ids', 'modalities', 'names')
    shuffled = FeatureSet(**{key: getattr(images, key)[rows] for key in columns})
    np.testing.assert_array_equal(tool.in_order_of(images, shuffled).features, images.features)


def test_models_and_data_that_do_not_fit_are_refused(tool, saved, tmp_path):
    model, other = saved('dgvae/dgvae_synthetic.py'), saved('agw/agw_synthetic.py')
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
