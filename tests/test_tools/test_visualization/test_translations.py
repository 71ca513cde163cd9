import json
import sys
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from mmvireid.apis import ImageKind, choose_images, load_split
from mmvireid.datasets.rendering import LAYOUTS, render_jpeg
from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]


@MODELS.register_module(force=True)
class MirrorTranslator(BaseReID):
    """Its translation is the mirrored image."""

    def loss(self, inputs, data_samples):
        raise NotImplementedError

    def extract(self, inputs):
        raise NotImplementedError

    def generate(self, inputs):
        return {
            'visible': inputs['visible'],
            'fake infrared': inputs['visible'].flip(3),
            'infrared': inputs['infrared'],
        }


@pytest.fixture
def tool(load_tool):
    return load_tool('visualization/translations.py')


@pytest.fixture
def cfg(shrink):
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    cfg.model = dict(type='MirrorTranslator', loss_weights={})
    return cfg


@pytest.fixture
def save(tmp_path):
    """``save(cfg)``: a config and weights of its model, as files."""

    def write(cfg) -> list[str]:
        path = tmp_path / 'toy.py'
        cfg.dump(path)
        torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), path.with_suffix('.pth'))
        return [str(path), str(path.with_suffix('.pth'))]

    return write


@pytest.mark.parametrize('split', ['test', 'train'])
def test_rows_show_two_images_of_one_person_as_the_test_pipeline_loads_them(tool, cfg, split):
    dataset = load_split(cfg, split)
    kinds = ImageKind('visible', [2]), ImageKind('infrared')
    pairs = choose_images(dataset, kinds, None, 3, np.random.default_rng(0))
    columns, samples = tool.translate(MODELS.build(cfg.model).eval(), dataset, pairs)
    assert list(columns) == ['visible', 'fake infrared', 'infrared']
    visible, infrared = samples[:3], samples[3:]
    assert [s.person_id for s in visible] == [s.person_id for s in infrared]
    assert len({s.person_id for s in visible}) == 3
    assert {s.camera_id for s in visible} == {2}
    for key, half in (('visible', visible), ('infrared', infrared)):
        for picture, sample in zip(columns[key], half):
            assert sample.modality == key
            image = cv2.resize(cv2.imread(sample.img_path), (32, 48))
            np.testing.assert_array_equal(picture, image)
    for picture, fake in zip(columns['visible'], columns['fake infrared']):
        np.testing.assert_array_equal(fake, picture[:, ::-1])
    first = visible[0], infrared[0]
    expected = f'id {first[0].person_id}, cam 2 and {first[1].camera_id}'
    assert tool.make_captions(samples)[0] == expected


@pytest.mark.parametrize('tones', ['independent', 'related'])
def test_the_truth_is_the_same_moment_by_the_infrared_camera(tool, cfg, monkeypatch, tones):
    monkeypatch.setattr(tool, 'rendered_layout', lambda root: LAYOUTS['sysu']('tiny', 0, tones))
    dataset = load_split(cfg, 'test')
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    positions = [
        next(i for i, row in enumerate(rows) if row['camera_id'] == camera) for camera in (1, 2, 4)
    ]
    cameras = LAYOUTS['sysu']('tiny', 0).cameras
    for position, camera_id, sensor_id in zip(positions, (1, 2, 4), (3, 3, 6)):
        camera, sensor = (
            next(c for c in cameras if c.camera_id == i) for i in (camera_id, sensor_id)
        )
        index = int(Path(rows[position]['name']).stem)
        taken = render_jpeg(0, rows[position]['person_id'], camera, index, sensor, tones)
        expected = cv2.resize(cv2.imdecode(np.frombuffer(taken, np.uint8), 1), (32, 48))
        [found] = tool.true_pictures(dataset, [position])
        np.testing.assert_array_equal(found, expected)


def test_scores_are_those_of_scikit_image_and_nobody_is_shown_himself(tool, cfg, monkeypatch):
    monkeypatch.setattr(tool, 'BATCH', 10)  # several batches, the last one not full
    dataset, model = load_split(cfg, 'test'), MODELS.build(cfg.model).eval()
    args = Namespace(cameras=[2], person_ids=None)
    pairs = tool.pair_with_others(dataset, args, np.random.default_rng(0))
    rows = [[dataset.get_data_info(index) for index in pair] for pair in pairs]
    of_camera = [i for i in range(len(dataset)) if dataset.get_data_info(i)['camera_id'] == 2]
    assert [visible for visible, _ in pairs] == of_camera
    assert all(own['person_id'] != other['person_id'] for own, other in rows)
    assert {other['modality'] for _, other in rows} == {'infrared'}

    found = tool.score(model, dataset, pairs, tool.picture_similarity())
    truth = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in tool.true_pictures(dataset, of_camera)]
    grey = [
        [cv2.cvtColor(cv2.resize(cv2.imread(row['img_path']), (32, 48)), cv2.COLOR_BGR2GRAY)
         for row in side]
        for side in zip(*rows)
    ]  # fmt: skip
    expected = {
        'visible picture, grey': grey[0],
        'fake infrared': [picture[:, ::-1] for picture in grey[0]],
        'infrared picture of somebody else': grey[1],
        'mean of these': [np.mean(grey[1], axis=0).round().astype(np.uint8)] * len(pairs),
    }
    assert list(found) == list(expected)
    for key, pictures in expected.items():
        psnr = np.mean([peak_signal_noise_ratio(t, p) for t, p in zip(truth, pictures)])
        assert found[key].psnr == pytest.approx(psnr, rel=1e-6)


def test_a_perfect_translation_is_the_truth(tool, cfg, monkeypatch):
    dataset, model = load_split(cfg, 'test'), MODELS.build(cfg.model).eval()
    args = Namespace(cameras=None, person_ids=[dataset.get_data_info(0)['person_id']])
    pairs = tool.pair_with_others(dataset, args, np.random.default_rng(0))
    mirrored = [dataset[i]['inputs'].permute(1, 2, 0).numpy()[:, ::-1] for i, _ in pairs]
    monkeypatch.setattr(tool, 'true_pictures', lambda dataset, positions: mirrored)
    found = tool.score(model, dataset, pairs, tool.picture_similarity())
    assert found['fake infrared'] == (np.inf, pytest.approx(1))
    assert found['visible picture, grey'].ssim < 0.9


@pytest.mark.parametrize('method', ['aligngan', 'hicmd'])
def test_what_methods_make_is_scored_and_written(tool, saved, method, tmp_path, capsys):
    out = tmp_path / 'translations.png'
    files = saved(f'{method}/{method}_synthetic.py')
    tool.main([*files, '--truth', '--num-ids', '2', '--out', str(out), '--cameras', '1'])
    content = json.loads(out.with_suffix('.json').read_text())
    fakes = dict(aligngan=tool.FAKES[:1], hicmd=tool.FAKES[1:])[method]
    names = [
        'visible picture, grey', *fakes, 'infrared picture of somebody else', 'mean of these',
    ]  # fmt: skip
    assert list(content['scores']) == names
    assert content['images'] == 10 and content['split'] == 'test'
    printed = [' '.join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for name, scores in content['scores'].items():
        assert f'{name} {scores["psnr"]:.2f} {scores["ssim"]:.3f}' in printed


def test_the_picture_is_written(tool, cfg, save, tmp_path, capsys):
    out = tmp_path / 'new folder/translations.png'
    tool.main([*save(cfg), '--num-ids', '2', '--out', str(out)])
    height = cv2.imread(str(out)).shape[0]
    assert 2 * 128 < height < 3 * 128
    assert str(out) in capsys.readouterr().out


def test_bad_input_is_one_line(tool, cfg, save, shrink, tmp_path, capsys, monkeypatch):
    files, out = save(cfg), ['--out', str(tmp_path / 'a.png')]
    cases = {
        ('--person-ids', '9999'): '`person_ids` has 9999, expected people with a visible image',
        ('--cameras', '1', '3'): r'`cameras` has \[3\], expected some of \[1, 2, 4, 5\]',
    }
    for arguments, message in cases.items():
        with pytest.raises(SystemExit, match=f'translations: .*{message}'):
            tool.main([*files, *out, *arguments])
    with pytest.raises(SystemExit, match="translations: .*'none.py', no such file"):
        tool.main(['none.py', files[1], *out])
    for arguments, message in (
        (['--num-ids', '0'], "'0' is not a number of at least 1"),
        (['--out', 'picture'], "'picture' does not end as pictures do"),
    ):
        with pytest.raises(SystemExit, match='2'):
            tool.main([*files, *arguments])
        assert f'{arguments[0]}: {message}' in capsys.readouterr().err
    with monkeypatch.context() as patch, pytest.raises(SystemExit, match='Leave out --truth'):
        patch.setattr(tool, 'rendered_layout', lambda root: None)
        tool.main([*files, *out, '--truth'])
    with monkeypatch.context() as patch, pytest.raises(SystemExit, match='needs scikit-image'):
        patch.setitem(sys.modules, 'skimage.metrics', None)
        tool.main([*files, *out, '--truth'])
    with monkeypatch.context() as patch, pytest.raises(SystemExit, match='score: `model` makes'):
        patch.setattr(tool, 'FAKES', ('fake',))
        tool.main([*files, *out, '--truth'])
    agw = save(shrink(str(ROOT / 'configs/agw/agw_synthetic.py')))
    with pytest.raises(SystemExit, match='of a AGW, expected a model that translates images'):
        tool.main([*agw, *out])
