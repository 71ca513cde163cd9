"""Perceptual edge feature loss (PEF) of MSO."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.models.backbones.sobel import check_resize, resize_edges
from mmvireid.models.backbones.vgg16_features import TAPS, build_vgg16
from mmvireid.models.layers import IMAGENET_MEAN, IMAGENET_STD, Companion
from mmvireid.registry import MODELS


def mean_adapter(maps: Tensor) -> Tensor:
    """The mean over the channels, as a grey image: (N, C, h, w) -> (N, 3, h, w)."""
    return maps.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)


def random3_adapter(maps: Tensor) -> Tensor:
    """Three channels drawn anew in every call: (N, C, h, w) -> (N, 3, h, w)."""
    chosen = torch.randperm(maps.shape[1])[:3].tolist()
    return torch.stack([maps[:, channel] for channel in chosen], dim=1)


def per_channel_adapter(maps: Tensor) -> Tensor:
    """Every channel as a grey image of its own: (N, C, h, w) -> (NC, 3, h, w)."""
    return maps.flatten(0, 1)[:, None].expand(-1, 3, -1, -1)


def tile_adapter(maps: Tensor) -> Tensor:
    """What a first convolution sees whose weights are repeated along C inputs, times 3/C.

    (N, C, h, w) -> (N, 3, h, w)
    """
    thirds = torch.stack([maps[:, start::3].sum(dim=1) for start in range(3)], dim=1)
    return thirds * (3 / maps.shape[1])


#: How a map of C channels becomes three; ``'proj'`` beside them is learnable.
ADAPTERS = dict(
    mean=mean_adapter,
    random3=random3_adapter,
    per_channel=per_channel_adapter,
    tile=tile_adapter,
)


def rescale_minmax(images: Tensor) -> Tensor:
    """Bring each image's values to [0, 1]."""
    low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
    return (images - low) / (high - low + 1e-6)


def standardise(images: Tensor) -> Tensor:
    """Bring each image's values to mean 0 and standard deviation 1."""
    centred = images - images.mean((1, 2, 3), keepdim=True)
    return centred / (centred.square().mean((1, 2, 3), keepdim=True) + 1e-6).sqrt()


#: How stem maps, which have no upper bound, and edges are brought to one scale, per image.
MATCHES = dict(none=lambda images: images, minmax=rescale_minmax, standardise=standardise)


@MODELS.register_module()
class PerceptualEdgeLoss(BaseModule):
    r"""Distance of stem maps from edge maps, seen through a frozen VGG-16.

    .. math::
        \sum_{m} \sum_{t=1}^{4} \frac{1}{C_t H_t W_t}
        \bigl\lVert \phi_t(s(f^m)) - \phi_t(s(e^m)) \bigr\rVert^2

    with the stem map f and the edges e of an image, both modalities m and VGG-16's blocks
    :math:`\phi_t`; s brings an image to mean 0 and deviation 1, as normalised pictures are that
    VGG-16 knows. The mean over the images of a modality is taken.

    Source: MSO (Gao et al., ACM MM 2021), Eqs. 2 and 3. How 64 channels and one channel enter a
    network for three is not said there; see ``adapter``.
    Deviation: the equation has no s. The scale of stem maps says nothing (behind ResNet-50's stem
    every branch begins with a convolution and a BatchNorm, which take any factor out again), but
    without s (``match='none'``) a factor alone lowers the loss, with no edge drawn.

    VGG-16 comes into being in :meth:`init_weights`, that is at the start of training, and is held
    by a :class:`Companion`: inference never has it, checkpoints hold none of it, no optimiser
    moves it. Its gradient ends at the stem maps.

    Args:
        adapter: How a stem map gets three channels: ``'mean'`` (of its channels, repeated),
            ``'random3'`` (three of them, drawn anew each time), ``'per_channel'`` (each by itself,
            at C times the cost), ``'tile'`` (a first convolution with repeated weights) or
            ``'proj'`` (a learnable 1x1 convolution that starts as the mean). Edges are repeated.
        taps: Where VGG-16's blocks are read: ``'relu'`` (relu1_2, relu2_2, relu3_3, relu4_3) or
            ``'pool'`` (the max-poolings behind them).
        resize: How edges get the size of a stem map: ``'average'``, ``'max'`` or ``'bilinear'``.
        match: What is done with both before VGG-16 sees them, per image: ``'standardise'`` (the s
            above), ``'minmax'`` (to [0, 1]) or ``'none'``.
        imagenet_norm: Whether to normalise both with ImageNet's mean and deviation then.
        weights: ``'torchvision://vgg16'``, another file with torchvision's parameter names, or
            ``'random'``, which the log says.
        base_channels: Channels of VGG-16's first block; 16 with ``'mmvireid://vgg16_rendered'``.
        seed: Of random weights.
        in_channels: Channels C of the stem maps (only ``'proj'`` needs them).
        channels_last: Whether VGG-16 is kept in channels-last memory format, as its input is.

    Raises:
        ValueError: If an argument is not allowed.
    """

    def __init__(
        self,
        adapter: str = 'mean',
        taps: str = 'relu',
        resize: str = 'average',
        match: str = 'standardise',
        imagenet_norm: bool = False,
        weights: str = 'torchvision://vgg16',
        base_channels: int = 64,
        seed: int = 0,
        in_channels: int = 64,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        for name, value, allowed in (
            ('adapter', adapter, (*ADAPTERS, 'proj')),
            ('taps', taps, TAPS),
            ('match', match, tuple(MATCHES)),
        ):
            if value not in allowed:
                raise InvalidValueError(
                    f'PerceptualEdgeLoss: `{name}` is {value!r}, expected one of {allowed}.'
                )
        check_resize('PerceptualEdgeLoss', resize)
        self.adapt = self._projection(in_channels) if adapter == 'proj' else ADAPTERS[adapter]
        self.match: Callable[[Tensor], Tensor] = MATCHES[match]
        self.taps, self.resize, self.weights, self.seed = taps, resize, weights, seed
        self.base_channels = base_channels
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        mean, std = (IMAGENET_MEAN, IMAGENET_STD) if imagenet_norm else (0.0, 1.0)
        for name, value in (('mean', mean), ('std', std)):
            value = torch.tensor(value).view(-1, 1, 1)
            self.register_buffer(name, value, persistent=False)
        self.vgg = Companion()

    @staticmethod
    def _projection(in_channels: int) -> nn.Conv2d:
        convolution = nn.Conv2d(in_channels, 3, 1, bias=False)
        nn.init.constant_(convolution.weight, 1 / in_channels)
        return convolution

    def init_weights(self) -> None:
        """Get VGG-16.

        Raises:
            FileNotFoundError: If ``weights`` names a file that does not exist.
            ValueError: If the weights are not those of such a VGG-16.
            RuntimeError: If they cannot be downloaded; names the key that takes a local file.
        """
        if self.is_init:
            return
        key = 'model.edge_loss.weights'
        vgg = build_vgg16(self.weights, self.taps, self.seed, key, self.base_channels)
        # a Runner has moved the model already
        self.vgg.hold(vgg.to(self.mean.device, self.mean.dtype, memory_format=self.memory_format))
        self._is_init = True

    def forward(self, stem_maps: dict[str, Tensor], edges: dict[str, Tensor]) -> Tensor:
        """Compare stem maps with edges.

        Args:
            stem_maps: Per modality, (N, C, h, w).
            edges: Edges of the same images, per modality, (N, 1, H, W).

        Returns:
            The loss of each block of VGG-16, summed over the modalities, shape (4,); the paper's
            loss is their sum.

        Raises:
            RuntimeError: If :meth:`init_weights` was not called.
            ValueError: If the images are too small for four blocks.
        """
        if not self.is_init:
            raise RunStoppedError(
                'PerceptualEdgeLoss: VGG-16 has no weights yet; call `init_weights()` of the model '
                'first, as a Runner does at the start of training.'
            )
        return torch.stack([self._compare(stem_maps[key], edges[key]) for key in stem_maps]).sum(0)

    def _compare(self, stem_map: Tensor, edges: Tensor) -> Tensor:
        """Loss of each block for one modality, shape (4,)."""
        self._check_size(stem_map, edges)
        seen = self._prepare(self.adapt(stem_map))
        with torch.no_grad():
            small = resize_edges(edges, stem_map.shape[2:], self.resize)
            targets = self.vgg(self._prepare(small.expand(-1, 3, -1, -1)))
        copies = len(seen) // len(edges)  # more than one if every channel is an image
        return torch.stack(
            [
                F.mse_loss(output, target.repeat_interleave(copies, dim=0))
                for output, target in zip(self.vgg(seen), targets)
            ]
        )

    def _prepare(self, images: Tensor) -> Tensor:
        return (self.match(images) - self.mean) / self.std

    def _check_size(self, stem_map: Tensor, edges: Tensor) -> None:
        smallest, (h, w) = self.vgg.network.smallest_side, stem_map.shape[2:]
        if min(h, w) < smallest:
            height, width = edges.shape[2:]
            raise InvalidValueError(
                f'PerceptualEdgeLoss: images of {height} x {width} give stem maps of {h} x {w}, '
                f'expected at least {smallest} x {smallest} for four blocks of VGG-16: use images '
                f'of at least {smallest * height // h} x {smallest * width // w}.'
            )
