import itertools

import cv2
import numpy as np
import pytest
import torch

from mmvireid.models.backbones import SobelEdges, resize_edges
from mmvireid.models.backbones.sobel import KERNELS


@pytest.fixture
def images():
    return torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))


def opencv_responses(image):
    """OpenCV's four responses (4, H, W) of an image (3, H, W), and its brightness."""
    brightness = cv2.cvtColor(image.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY)
    border = dict(borderType=cv2.BORDER_REPLICATE)
    straight = [cv2.Sobel(brightness, cv2.CV_32F, *order, **border) for order in ((1, 0), (0, 1))]
    slanted = [
        cv2.filter2D(brightness, cv2.CV_32F, np.float32(KERNELS[angle]), **border)
        for angle in (45, 135)
    ]
    return np.stack(straight + slanted)


@pytest.mark.parametrize(
    ('combine', 'combined'),
    [
        ('abs_sum', lambda r: np.abs(r).sum(0)),
        ('root', lambda r: np.sqrt((r**2).sum(0))),
        ('max', lambda r: np.abs(r).max(0)),
        ('signed', lambda r: r.sum(0)),
    ],
)
def test_edges_equal_opencv(images, combine, combined):
    edges = SobelEdges(combine)(images)
    assert edges.shape == (2, 1, 9, 7)
    for ours, image in zip(edges, images):
        np.testing.assert_allclose(ours[0], combined(opencv_responses(image)), atol=2e-3)


def test_the_kernels_are_one_turned_by_45_degrees():
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]  # clockwise
    rings = {angle: [KERNELS[angle][i][j] for i, j in ring] for angle in KERNELS}
    rolled = [tuple(np.roll(rings[0], shift)) for shift in range(8)]
    assert all(tuple(values) in rolled for values in rings.values())
    assert len({tuple(values) for values in rings.values()}) == 4


def test_the_largest_values_are_those_of_all_black_and_white_patches():
    """Every combination is convex, so its maximum stands in a corner of the cube."""
    corners = itertools.product([0.0, 1.0], repeat=9)
    patches = torch.tensor(list(corners)).view(-1, 1, 3, 3).expand(-1, 3, -1, -1)
    for combine, largest in dict(abs_sum=12, root=40**0.5, max=4, signed=12).items():
        centre = SobelEdges(combine)(patches)[:, 0, 1, 1]
        assert centre.abs().max().item() == pytest.approx(largest, abs=1e-4), combine


def test_the_signed_sum_is_blind_to_edges_along_its_slope():
    """It is one kernel, which measures 20 x-slope + 8 y-slope."""
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing='ij')
    ramp = (0.05 * (8 * x - 20 * y) / 20 + 0.5).expand(1, 3, -1, -1)
    inside = (..., slice(1, -1), slice(1, -1))
    assert SobelEdges('signed')(ramp)[inside].abs().max() < 1e-5
    assert SobelEdges('abs_sum')(ramp)[inside].min() > 0.6


def test_magnitudes_do_not_depend_on_which_side_is_bright(images):
    for combine in ('abs_sum', 'root', 'max'):
        edges = SobelEdges(combine)
        torch.testing.assert_close(edges(1 - images), edges(images), atol=1e-5, rtol=0)
    signed = SobelEdges('signed')
    torch.testing.assert_close(signed(1 - images), -signed(images), atol=1e-5, rtol=0)


def test_a_flat_image_has_no_frame():
    assert SobelEdges()(torch.full((1, 3, 5, 4), 0.7)).abs().max() < 1e-5


#: Left, top, right and bottom of a picture in an image of 9 x 7.
BOXES = [(0, 0, 7, 9), (2, 0, 7, 6), (0, 3, 4, 9), (1, 2, 6, 8), (3, 4, 4, 5)]


def padded(box, value=None):
    """An image (3, 9, 7), black but for a picture that fills the box, and the picture."""
    left, top, right, bottom = box
    picture = torch.rand(3, bottom - top, right - left, generator=torch.Generator().manual_seed(1))
    if value is not None:
        picture = torch.full_like(picture, value)
    image = torch.zeros(3, 9, 7)
    image[:, top:bottom, left:right] = picture
    return image, picture


@pytest.mark.parametrize('combine', ['abs_sum', 'root', 'max', 'signed'])
def test_edges_of_a_padded_image_are_those_of_its_picture_alone(combine):
    images, pictures = zip(*map(padded, BOXES))
    sobel = SobelEdges(combine)
    found = sobel(torch.stack(images), torch.tensor(BOXES))
    for edges, picture, (left, top, right, bottom) in zip(found, pictures, BOXES):
        alone = sobel(picture[None])[0]
        inside = edges[:, top:bottom, left:right]
        torch.testing.assert_close(inside, alone, atol=1e-5, rtol=0)
        assert edges.abs().sum().item() == pytest.approx(inside.abs().sum().item(), rel=1e-6)


def test_padding_around_a_flat_picture_has_no_edge():
    images = torch.stack([padded(box, 0.7)[0] for box in BOXES])
    assert SobelEdges()(images, torch.tensor(BOXES)).abs().max() < 1e-5
    assert (SobelEdges()(images)[1:].amax((1, 2, 3)) > 1).all()  # what the box is for


def test_a_picture_that_was_shifted_out_of_its_image_has_no_edges():
    empty = torch.tensor([(0, 0, 0, 9), (7, 0, 7, 9), (0, 9, 7, 9), (0, 0, 7, 0)])
    assert not SobelEdges()(torch.zeros(4, 3, 9, 7), empty).any()


def test_no_gradient_no_autocast_no_state(images):
    edges = SobelEdges()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = edges(images.requires_grad_())
    assert found.dtype == torch.float32
    assert not found.requires_grad
    assert not edges.state_dict()


def test_resizing_equals_opencv_and_pooling():
    edges = torch.rand(2, 1, 16, 8)
    blocks = edges.view(2, 1, 4, 4, 2, 4)
    torch.testing.assert_close(resize_edges(edges, (4, 2)), blocks.mean((3, 5)))
    torch.testing.assert_close(resize_edges(edges, (4, 2), 'max'), blocks.amax((3, 5)))
    twice = torch.nn.functional.max_pool2d(torch.nn.functional.max_pool2d(edges, 2), 2)
    torch.testing.assert_close(resize_edges(edges, (4, 2), 'max'), twice)
    expected = cv2.resize(edges[0, 0].numpy(), (2, 4), interpolation=cv2.INTER_LINEAR)
    found = resize_edges(edges, (4, 2), 'bilinear')[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="SobelEdges: `combine` is 'sum', expected one of"):
        SobelEdges('sum')
    with pytest.raises(ValueError, match="resize_edges: `resize` is 'nearest'"):
        resize_edges(torch.rand(1, 1, 4, 4), (2, 2), 'nearest')
