import pytest
import torch

from mmvireid.models.augmentations import FlipAugmentation, PadCropAugmentation
from mmvireid.structures import ReIDDataSample

HEIGHT, WIDTH, PADDING = 7, 5, 3


def numbered(count):
    """Images whose pixels are all different, from 1 on."""
    return torch.arange(1.0, count * 3 * HEIGHT * WIDTH + 1).view(count, 3, HEIGHT, WIDTH)


def box_of(image):
    """Where an image is not 0: left, top, right, bottom."""
    rows = image.amax(dim=(0, 2)).nonzero().flatten()
    columns = image.amax(dim=(0, 1)).nonzero().flatten()
    return (columns[0].item(), rows[0].item(), columns[-1].item() + 1, rows[-1].item() + 1)


def test_windows_lie_anywhere_in_the_padded_image():
    torch.manual_seed(0)
    count, seen = 300, set()
    images, samples = numbered(count), [ReIDDataSample() for _ in range(count)]
    cropped = PadCropAugmentation(PADDING)(images, samples)
    assert cropped.shape == images.shape
    for image, old, sample in zip(cropped, images, samples):
        left, top, right, bottom = box = box_of(image)
        assert sample.picture_box == box
        x, y = divmod(int(image[0, top, left]) - int(old[0, 0, 0]), WIDTH)[::-1]
        kept = old[:, y : y + bottom - top, x : x + right - left]
        assert torch.equal(image[:, top:bottom, left:right], kept)
        seen.add((top - y, left - x))
    offsets = range(-PADDING, PADDING + 1)
    assert seen == {(i, j) for i in offsets for j in offsets}


def test_padding_has_the_wanted_value():
    torch.manual_seed(0)
    images = PadCropAugmentation(2, fill=0.25)(torch.ones(20, 3, 4, 4), [ReIDDataSample()] * 20)
    assert set(images.unique().tolist()) == {0.25, 1.0}
    assert torch.equal(PadCropAugmentation(0)(images, [ReIDDataSample()] * 20), images)


def test_half_of_the_images_are_mirrored():
    torch.manual_seed(0)
    count = 400
    images = numbered(count)
    samples = [ReIDDataSample(metainfo=dict(picture_box=(1, 2, 5, 6))) for _ in range(count)]
    flipped = FlipAugmentation()(images, samples)
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(flipped, images)]
    assert sum(mirrored) == pytest.approx(count / 2, abs=30)
    for image, old, mirror, sample in zip(flipped, images, mirrored, samples):
        assert torch.equal(image, old) != mirror
        assert sample.picture_box == ((0, 2, 4, 6) if mirror else (1, 2, 5, 6))


def test_what_is_not_allowed_is_refused():
    with pytest.raises(ValueError, match='`padding` is -1 and `fill` 0'):
        PadCropAugmentation(-1)
    with pytest.raises(ValueError, match='`fill` 127'):
        PadCropAugmentation(fill=127)
    with pytest.raises(ValueError, match="`space` is 'normalized'"):
        PadCropAugmentation(space='normalized')  # black is no 0 there
