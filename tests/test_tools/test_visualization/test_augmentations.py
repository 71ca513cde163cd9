import cv2
import numpy as np
import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool('visualization/augmentations.py')


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (16, 8, 3), np.uint8)


def test_an_augmentation_is_applied_always_and_to_the_values_that_it_is_for(tool, image):
    flip = tool.augmented(image, 'visible', dict(type='FlipAugmentation', prob=0.0), 3)
    assert len(flip) == 3 and all(np.array_equal(one, image[:, ::-1]) for one in flip)
    copy = dict(type='ChannelCopyAugmentation', channels=(2,), space='normalized')
    [normalized] = tool.augmented(image, 'visible', copy, 1)
    [raw] = tool.augmented(image, 'visible', dict(copy, space='raw'), 1)
    blue = image[..., 0].astype(float)  # BGR; RGB's channel 2
    assert np.array_equal(raw, np.stack([image[..., 0]] * 3, axis=-1))
    red = ((blue - 103.53) / 57.375 * 58.395 + 123.675).clip(0, 255)
    assert np.abs(normalized[..., 2] - red).max() <= 0.51


def test_the_picture_has_a_row_for_each(tool, image, tmp_path, monkeypatch, capsys):
    file = tmp_path / 'own.py'
    file.write_text("_augmentations = dict(mirror=dict(type='FlipAugmentation'))")
    for name in ('v.png', 'i.png'):
        cv2.imwrite(str(tmp_path / name), image)
    shown = {}
    monkeypatch.setattr(
        tool,
        'draw_image_grid',
        lambda columns, rows, **_: shown.update(columns, rows=rows) or image,
    )
    images = ['--visible', str(tmp_path / 'v.png'), '--infrared', str(tmp_path / 'i.png')]
    out = tmp_path / 'picture.png'
    tool.main([*images, '--file', str(file), '--draws', '2', '--out', str(out)])
    assert shown.pop('rows') == ['as drawn', 'mirror'] and out.exists()
    assert list(shown) == ['visible 1', 'visible 2', 'infrared 1', 'infrared 2']
    as_drawn, mirrored = shown['visible 2']
    assert np.array_equal(as_drawn, cv2.resize(image, (64, 128)))
    assert np.array_equal(mirrored, as_drawn[:, ::-1])
    assert '1 augmentations are drawn in' in capsys.readouterr().out


def test_a_file_without_any_is_named(tool, tmp_path):
    file = tmp_path / 'none.py'
    file.write_text('a = 1')
    with pytest.raises(SystemExit, match='--file is .*none.py., which has no `_augmentations`'):
        tool.main(['--visible', 'v', '--infrared', 'i', '--file', str(file), '--out', 'a.png'])
