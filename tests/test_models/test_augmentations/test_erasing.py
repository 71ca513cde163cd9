from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmvireid.models.augmentations import ErasingAugmentation
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

CONFIG = Path(__file__).parents[3] / 'configs/_base_/augmentations.py'
MEAN = torch.tensor([0.485, 0.456, 0.406])
STD = torch.tensor([0.229, 0.224, 0.225])
#: Fill of the variants of the field as R, G, B of a file (0 to 255).
PIXELS = dict(
    a=(152.37, 143.82, 129.15),
    b=(125.31, 122.96, 113.86),
    c=(123.68, 116.28, 103.53),
    d=(152.00, 142.33, 126.82),
    e=(152.00, 142.33, 126.82),
    f=(125.31, 122.96, 113.86),
)
#: Smallest and largest part of the image.
AREAS = dict(
    a=(0.02, 0.4), b=(0.02, 0.4), c=(0.02, 0.33), d=(0.2, 0.8), e=(0.02, 0.4), f=(0.02, 0.33)
)


@pytest.fixture(scope='module')
def variants():
    named = Config.fromfile(CONFIG)._augmentations
    return {key[-1]: named[key] for key in named if key.startswith('erasing_')}


def erase(step, count=300, size=(96, 48)):
    torch.manual_seed(0)
    images = torch.full((count, 3, *size), 9.0)
    return step(images, [ReIDDataSample()] * count)


@pytest.mark.parametrize('name', PIXELS)
def test_variants_have_the_released_figures(name, variants):
    step = MODELS.build(variants[name])
    images = erase(step)
    holes = (images != 9).all(dim=1)  # (N, H, W)
    share = holes.double().mean(dim=(1, 2))
    erased = share[share > 0]
    assert len(erased) / len(images) == pytest.approx(0.5, abs=0.09)
    low, high = AREAS[name]
    assert low * 0.8 < erased.min() < erased.max() < high * 1.05
    if name != 'd':  # of the large ones many do not fit
        assert erased.mean() == pytest.approx((low + high) / 2, abs=0.04)
    fill = images[holes.any(dim=(1, 2))].movedim(1, 3)[holes[holes.any(dim=(1, 2))]]
    assert (fill == fill[0]).all()
    color = fill[0] if variants[name].space == 'raw' else fill[0] * STD + MEAN
    assert (255 * color).tolist() == pytest.approx(PIXELS[name], abs=0.01)


def test_holes_are_rectangles():
    for image in erase(ErasingAugmentation((0.0, 0.0, 0.0), 'raw', prob=1.0), count=20):
        hole = image[0] == 0
        rows, columns = hole.any(1), hole.any(0)
        assert torch.equal(hole, rows[:, None] & columns)
        assert 0 < rows.sum() < 96 and 0 < columns.sum() < 48


def test_a_colour_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"`fill` is \(125, 123, 114\) in the space 'raw'"):
        ErasingAugmentation((125, 123, 114), 'raw')
    with pytest.raises(ValueError, match='expected three values'):
        ErasingAugmentation((0.0,), 'normalized')
    with pytest.raises(ValueError, match="`space` is 'rgb'"):
        ErasingAugmentation((0.0,) * 3, 'rgb')
