"""Edges of images by fixed directional kernels."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: Sobel kernels by the direction of the gradient that they answer to, in degrees.
KERNELS = {
    0: ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    90: ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    45: ((0, 1, 2), (-1, 0, 1), (-2, -1, 0)),
    135: ((-2, -1, 0), (-1, 0, 1), (0, 1, 2)),
}
#: How the four responses (N, 4, H, W) become one (N, 1, H, W).
COMBINATIONS: dict[str, Callable[[Tensor], Tensor]] = dict(
    abs_sum=lambda responses: responses.abs().sum(dim=1, keepdim=True),
    root=lambda responses: responses.square().sum(dim=1, keepdim=True).sqrt(),
    max=lambda responses: responses.abs().amax(dim=1, keepdim=True),
    signed=lambda responses: responses.sum(dim=1, keepdim=True),
)
#: How edges are brought to the size of a map.
RESIZES = ('average', 'max', 'bilinear')
#: Shares of R, G and B in the brightness.
LUMA = (0.299, 0.587, 0.114)


@MODELS.register_module()
class SobelEdges(nn.Module):
    r"""Edge map of an image: four directional Sobel responses of its brightness, combined.

    .. math:: e = \textstyle\sum_{\theta \in \{0, 90, 45, 135\}} |S_\theta * y|

    Source: MSO (Gao et al., ACM MM 2021), Sec. 3.2: "adding these four channels together".
    Deviation: magnitudes are added. The literal sum (``'signed'``) is one single kernel,
    ``-4 -2 2 / -4 0 4 / -2 2 4``: blind to edges along its own slope, and of opposite sign for
    dark-to-bright and bright-to-dark, which differ between the modalities.

    Where an image is padded, its edges are those of the picture alone: borders of the picture are
    replicated (anything else would draw a frame), and beyond them there are no edges. No gradient
    flows, and no autocast applies.

    Args:
        combine: ``'abs_sum'`` (sum of magnitudes), ``'root'`` (root of the sum of squares),
            ``'max'`` (largest magnitude) or ``'signed'`` (literal sum).

    Raises:
        ValueError: If ``combine`` is none of these.

    Example:
        >>> SobelEdges()(torch.ones(2, 3, 8, 4)).shape
        torch.Size([2, 1, 8, 4])
    """

    def __init__(self, combine: str = 'abs_sum') -> None:
        super().__init__()
        if combine not in COMBINATIONS:
            raise InvalidValueError(
                f'SobelEdges: `combine` is {combine!r}, expected one of {tuple(COMBINATIONS)}.'
            )
        self.combine = COMBINATIONS[combine]
        kernels = torch.tensor(list(KERNELS.values()), dtype=torch.float32)[:, None]
        self.register_buffer('kernels', kernels, persistent=False)  # (4, 1, 3, 3)
        self.register_buffer('luma', torch.tensor(LUMA).view(3, 1, 1), persistent=False)

    @torch.no_grad()
    def forward(self, images: Tensor, boxes: Tensor | None = None) -> Tensor:
        """Find edges.

        Args:
            images: RGB in [0, 1], shape (N, 3, H, W).
            boxes: Left, top, right and bottom (exclusive) of the picture within each image, at
                least one pixel each, int64, shape (N, 4). ``None`` if the pictures fill the images.

        Returns:
            Edges, shape (N, 1, H, W): in [0, 12] (``'root'``: up to the root of 40, ``'max'``: up
            to 4, ``'signed'``: in [-12, 12]), 0 outside the boxes.
        """
        with torch.autocast(images.device.type, enabled=False):
            brightness = (images * self.luma).sum(dim=1, keepdim=True)
            if boxes is not None:
                brightness, inside = replicate_borders(brightness, boxes)
            padded = F.pad(brightness, (1, 1, 1, 1), mode='replicate')
            edges = self.combine(F.conv2d(padded, self.kernels))
            return edges if boxes is None else edges * inside


def replicate_borders(images: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Give every pixel outside a box the value of the nearest pixel inside.

    Args:
        images: Shape (N, 1, H, W).
        boxes: Left, top, right and bottom (exclusive), int64, shape (N, 4).

    Returns:
        The images, and whether a pixel is inside, bool, both (N, 1, H, W).
    """
    left, top, right, bottom = boxes.T[..., None]  # (N, 1) each
    y = torch.arange(images.shape[2], device=images.device)
    x = torch.arange(images.shape[3], device=images.device)
    rows = y.clamp(top, bottom - 1)  # (N, H)
    columns = x.clamp(left, right - 1)  # (N, W)
    inside = (rows == y)[:, None, :, None] & (columns == x)[:, None, None, :]
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return images[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2), inside


def check_resize(owner: str, resize: str) -> None:
    """Refuse an unknown way of resizing.

    Raises:
        ValueError: If ``resize`` is not one of :data:`RESIZES`.
    """
    if resize not in RESIZES:
        raise InvalidValueError(f'{owner}: `resize` is {resize!r}, expected one of {RESIZES}.')


def resize_edges(edges: Tensor, size: tuple[int, int], resize: str = 'average') -> Tensor:
    """Bring edges to the size of a feature map.

    Args:
        edges: Edge maps of images, shape (N, 1, H, W).
        size: Height and width of the map.
        resize: ``'average'`` or ``'max'`` pools (the maximum keeps thin edges as strong as they
            are), ``'bilinear'`` interpolates.

    Returns:
        Edges, shape (N, 1, h, w).

    Raises:
        ValueError: If ``resize`` is none of these.
    """
    check_resize('resize_edges', resize)
    if resize == 'bilinear':
        return F.interpolate(edges, size, mode='bilinear')
    pool = F.adaptive_avg_pool2d if resize == 'average' else F.adaptive_max_pool2d
    return pool(edges, size)
