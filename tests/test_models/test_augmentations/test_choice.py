import pytest
import torch

from mmvireid.models.augmentations import ChoiceAugmentation
from mmvireid.structures import ReIDDataSample

FLIP = dict(type='FlipAugmentation', prob=1.0)
GREY = dict(type='GreyAugmentation', prob=1.0)
SHIFT = dict(type='PadCropAugmentation', padding=0)


def test_every_image_gets_one_of_them_and_its_own_sample():
    images = torch.rand(400, 3, 4, 5)
    samples = [ReIDDataSample(metainfo=dict(picture_box=(0, 0, 3, 4))) for _ in images]
    torch.manual_seed(0)
    changed = ChoiceAugmentation([FLIP, GREY])(images, samples)
    flipped = (changed == images.flip(3)).flatten(1).all(1)
    grey = torch.isclose(changed[:, :1], changed).flatten(1).all(1)
    assert (flipped ^ grey).all()
    assert flipped.double().mean().item() == pytest.approx(0.5, abs=0.07)
    boxes = [sample.picture_box for sample in samples]
    assert boxes == [(2, 0, 5, 4) if mirrored else (0, 0, 3, 4) for mirrored in flipped]


def test_it_may_leave_images_as_they_are():
    images = torch.rand(200, 3, 4, 5)
    torch.manual_seed(0)
    changed = ChoiceAugmentation([FLIP], prob=0.25)(images, [ReIDDataSample()] * 200)
    same = (changed == images).flatten(1).all(1)
    assert same.double().mean().item() == pytest.approx(0.75, abs=0.08)


def test_it_has_the_space_of_its_choices():
    assert ChoiceAugmentation([GREY, SHIFT]).space == 'raw'
    normalized = dict(FLIP, space='normalized')
    assert ChoiceAugmentation([normalized]).space == 'normalized'
    for choices in ([GREY, normalized], [], [dict(type='AveragePooling')]):
        with pytest.raises(ValueError, match='ChoiceAugmentation: `choices` are .*of one space'):
            ChoiceAugmentation(choices)
