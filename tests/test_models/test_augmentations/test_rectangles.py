import math

import pytest
import torch
from torchvision.transforms import RandomErasing

from mmvireid.models.augmentations import Rectangles, draw_rectangles, rectangle_masks

HEIGHT, WIDTH = 288, 144


def sides(boxes):
    return (boxes[:, 2:] - boxes[:, :2]).double().unbind(1)


def test_area_and_aspect_are_uniform_among_what_fits():
    """Against a loop that draws one rectangle after the other, by other random numbers."""
    torch.manual_seed(0)
    law = Rectangles()
    boxes = draw_rectangles(4000, HEIGHT, WIDTH, law)
    rows, columns = sides(boxes)
    assert rows.min() > 0 and rows.max() < HEIGHT and columns.max() < WIDTH
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= HEIGHT).all()
    assert (boxes[:, 3] <= WIDTH).all()
    rng, expected = torch.Generator().manual_seed(1), []
    while len(expected) < 4000:
        area = torch.empty(1).uniform_(0.02, 0.4, generator=rng).item() * HEIGHT * WIDTH
        aspect = torch.empty(1).uniform_(0.3, 1 / 0.3, generator=rng).item()
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if h < HEIGHT and w < WIDTH:
            expected.append((h * w / (HEIGHT * WIDTH), h / w))
    found = torch.stack([rows * columns / (HEIGHT * WIDTH), rows / columns], dim=1)
    expected = torch.tensor(expected).double()
    for share in (0.1, 0.5, 0.9):
        torch.testing.assert_close(
            found.quantile(share, dim=0), expected.quantile(share, dim=0), rtol=0.08, atol=0
        )


def test_places_are_uniform():
    torch.manual_seed(0)
    law = Rectangles(area_range=(0.25, 0.25), aspect_range=(1.0, 1.0))  # 4 x 4 of 8 x 8
    boxes = draw_rectangles(5000, 8, 8, law)
    counts = torch.bincount(boxes[:, 0] * 5 + boxes[:, 1], minlength=25)
    assert len(counts) == 25 and counts.min() > 140 and counts.max() < 260  # 200 expected


def test_log_uniform_aspects_are_those_of_torchvision():
    torch.manual_seed(0)
    law = Rectangles((0.02, 0.33), (0.3, 3.3), 'log_uniform', 10)
    rows, columns = sides(draw_rectangles(3000, HEIGHT, WIDTH, law))
    image = torch.zeros(3, HEIGHT, WIDTH)
    theirs = [RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0]) for _ in range(3000)]
    aspects = torch.tensor([h / w for _, _, h, w, _ in theirs], dtype=torch.float64)
    for share in (0.1, 0.5, 0.9):
        ours = (rows / columns).quantile(share)
        torch.testing.assert_close(ours, aspects.quantile(share), rtol=0.1, atol=0)


def test_where_nothing_fits_there_is_no_rectangle():
    law = Rectangles(area_range=(1.0, 1.0), aspect_range=(1.0, 1.0))
    boxes = draw_rectangles(3, 8, 8, law)
    assert not boxes.any()
    assert not rectangle_masks(boxes, 8, 8).any()


def test_masks_equal_slices():
    boxes = draw_rectangles(20, 9, 6, Rectangles((0.1, 0.5)))
    masks = rectangle_masks(boxes, 9, 6)
    for mask, (top, left, bottom, right) in zip(masks, boxes.tolist()):
        expected = torch.zeros(1, 9, 6, dtype=torch.bool)
        expected[:, top:bottom, left:right] = True
        assert torch.equal(mask, expected)


@pytest.mark.parametrize(
    ('law', 'message'),
    [
        (Rectangles(area_range=(0.5, 0.2)), r'`area_range` is \(0.5, 0.2\)'),
        (Rectangles(aspect_range=(0, 1)), r'`aspect_range` \(0, 1\)'),
        (Rectangles(aspect_law='normal'), "`aspect_law` is 'normal'"),
        (Rectangles(max_tries=0), '`max_tries` 0'),
    ],
)
def test_what_is_no_law_is_refused(law, message):
    with pytest.raises(ValueError, match=message):
        law.check('Erasing')
