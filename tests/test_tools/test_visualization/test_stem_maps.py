import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmvireid.apis import init_model

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tool(load_tool):
    return load_tool('visualization/stem_maps.py')


def kill(state: dict, channels: tuple) -> None:
    """Let maps of the infrared stem never rise above 0."""
    for channel in channels:
        state['backbone.stems.infrared.bn1.weight'][channel] = 0
        state['backbone.stems.infrared.bn1.bias'][channel] = -1


@pytest.fixture
def images(rendered):
    root = Path(rendered('sysu'))
    return dict(
        visible=str(next(root.glob('cam1/*/*.jpg'))), infrared=str(next(root.glob('cam3/*/*.jpg')))
    )


def arguments(images, out):
    return ['--visible', images['visible'], '--infrared', images['infrared'], '--out', str(out)]


def test_both_models_are_drawn_and_their_dead_maps_counted(tool, saved, images, tmp_path, capsys):
    first = saved('mso/mso_synthetic.py', lambda state: kill(state, (3, 10, 63)))
    second = saved('agw/agw_synthetic.py')
    out = tmp_path / 'new folder/maps.png'
    tool.main([*first, '--other', *second, *arguments(images, out)])
    assert cv2.imread(str(out)).shape == (2 * 9 * 150, 10 * 150, 3)
    printed = capsys.readouterr().out
    assert re.search('mso_synthetic +0 of 64 +3 of 64', printed)
    assert re.search('agw_synthetic +0 of 64 +0 of 64', printed)


def test_the_maps_are_those_of_each_modalitys_stem(tool, saved, images):
    model = init_model(*saved('mso/mso_synthetic.py'))
    found = tool.compute_stem_maps(model, images)
    for key, path in images.items():
        load = tool.Compose(model.cfg.test_dataloader.dataset.pipeline[:1])
        image = load(dict(img_path=path))['img'][..., ::-1] / 255  # BGR
        image = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        with torch.no_grad():
            stem = model.backbone.stems[key]
            expected = stem(torch.from_numpy(image).float().permute(2, 0, 1)[None])[0]
        np.testing.assert_allclose(found[key], expected, atol=1e-4)


def test_tiles_are_scaled_by_their_own_maximum_and_dead_ones_are_red(tool):
    maps = np.zeros((5, 2, 3), np.float32)
    maps[0], maps[1, 0, 0], maps[4, 1, 2] = 7, 0.5, 2
    picture = tool.tile(maps)
    assert picture.shape == (2 * 2 + 1, 3 * 3 + 2, 3)
    assert (picture[:2, :3] == 1).all()  # map 0 is even
    assert picture[0, 4].tolist() == [1, 1, 1]  # map 1 has one spot
    assert picture[1, 4].tolist() == [0, 0, 0]
    red = picture[0, 8]
    assert red[0] > 2 * red[1]
    assert (picture[:2, 8:] == red).all()  # maps 2 and 3 are dead
    assert (picture[3:, :3] == red).all()
    assert (picture[3:, 8:] == 1).all()  # there is no sixth map
    assert tool.find_dead(maps).tolist() == [False, False, True, True, False]
    assert tool.find_dead(np.full((1, 1, 1), 1e-6)).all()
    assert not tool.find_dead(np.full((1, 1, 1), 1e-5)).any()


def test_other_models_and_missing_files_are_refused(tool, saved, images, tmp_path):
    with pytest.raises(SystemExit, match='of a DGVAE, expected a model with a two-stream backbone'):
        tool.main([*saved('dgvae/dgvae_synthetic.py'), *arguments(images, tmp_path / 'a.png')])
    config, checkpoint = saved('mso/mso_synthetic.py')
    missing = images | dict(visible=str(tmp_path / 'none.jpg'))
    with pytest.raises(SystemExit, match='stem_maps: .*none.jpg'):
        tool.main([config, checkpoint, *arguments(missing, tmp_path / 'a.png')])
    with pytest.raises(SystemExit, match="stem_maps: .*`config` is 'none.py', no such file"):
        tool.main(['none.py', checkpoint, *arguments(images, tmp_path / 'a.png')])
