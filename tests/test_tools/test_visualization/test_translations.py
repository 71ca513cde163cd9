from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmvireid.apis import ImageKind, choose_images, load_split
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


def test_the_picture_is_written(tool, cfg, save, tmp_path, capsys):
    out = tmp_path / 'new folder/translations.png'
    tool.main([*save(cfg), '--num-ids', '2', '--out', str(out)])
    height = cv2.imread(str(out)).shape[0]
    assert 2 * 128 < height < 3 * 128
    assert str(out) in capsys.readouterr().out


def test_bad_input_is_one_line(tool, cfg, save, shrink, tmp_path, capsys):
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
    agw = save(shrink(str(ROOT / 'configs/agw/agw_synthetic.py')))
    with pytest.raises(SystemExit, match='of a AGW, expected a model that translates images'):
        tool.main([*agw, *out])
