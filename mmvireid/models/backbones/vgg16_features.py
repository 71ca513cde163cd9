"""VGG-16 up to relu4_3, the measuring device of perceptual losses."""

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS
from mmvireid.storage import check_state_dict, load_weights

#: Channels, as multiples of the first block's 64, and convolutions of VGG-16's first four blocks.
BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3))
#: Where a block is read: at its last ReLU, or behind the max-pooling that follows.
TAPS = ('relu', 'pool')


@MODELS.register_module()
class VGG16Features(nn.Sequential):
    """First four blocks of VGG-16, under torchvision's layer numbers.

    Source: Simonyan and Zisserman, ICLR 2015, configuration D.

    Args:
        taps: ``'relu'`` reads relu1_2, relu2_2, relu3_3 and relu4_3, ``'pool'`` the max-poolings
            behind them.
        base_channels: Channels of the first block; fewer than 64 make a narrow network.

    Attributes:
        out_channels (int): Channels of the last map.
        smallest_side (int): Smallest height and width of an input.

    Raises:
        ValueError: If ``taps`` is neither, or ``base_channels`` below 1.

    Example:
        >>> [tuple(x.shape[1:]) for x in VGG16Features()(torch.rand(1, 3, 16, 8))]
        [(64, 16, 8), (128, 8, 4), (256, 4, 2), (512, 2, 1)]
    """

    def __init__(self, taps: str = 'relu', base_channels: int = 64) -> None:
        if taps not in TAPS:
            raise InvalidValueError(f'VGG16Features: `taps` is {taps!r}, expected one of {TAPS}.')
        if base_channels < 1:
            raise InvalidValueError(
                f'VGG16Features: `base_channels` is {base_channels}, expected at least 1.'
            )
        layers, tapped, in_channels = [], [], 3
        for multiple, count in BLOCKS:
            channels = multiple * base_channels
            for _ in range(count):
                layers += [nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU(inplace=True)]
                in_channels = channels
            layers.append(nn.MaxPool2d(2))
            tapped.append(len(layers) - (2 if taps == 'relu' else 1))
        super().__init__(*layers[: tapped[-1] + 1])
        self.tapped = tapped
        self.out_channels = in_channels
        self.smallest_side = 2 ** sum(isinstance(layer, nn.MaxPool2d) for layer in self)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Read the four blocks.

        Args:
            images: Shape (N, 3, h, w).

        Returns:
            Four maps (N, C, h', w'), C = 64, 128, 256, 512 unless it is narrow, each half as large
            as the one before.
        """
        outputs, x = [], images
        for index, layer in enumerate(self):
            x = layer(x)
            if index in self.tapped:
                outputs.append(x)
        return outputs


def build_vgg16(
    weights: str, taps: str, seed: int, key: str, base_channels: int = 64
) -> VGG16Features:
    """A :class:`VGG16Features` with its weights; torch's random state is left alone.

    Args:
        weights: ``torchvision://vgg16``, another file with torchvision's parameter names, or
            ``'random'`` (He initialisation, as VGG-16 starts from before its training).
        taps: As in :class:`VGG16Features`.
        seed: Of the random weights.
        key: The config key that names ``weights``, for error messages.
        base_channels: As in :class:`VGG16Features`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not VGG-16's.
        RuntimeError: If the weights cannot be downloaded; names the key that takes a local file.
    """
    with torch.device('meta'):
        vgg = VGG16Features(taps, base_channels)
    vgg.to_empty(device='cpu')
    if weights == 'random':
        randomise(vgg, seed)
        print_log(f'`{key}`: VGG-16 with random weights (seed {seed}), not ImageNet.', 'current')
        return vgg
    loaded = load_weights(weights, key=key)
    names = {f'features.{index}.' for index in range(len(vgg))}
    given = {
        name.removeprefix('features.'): value
        for name, value in loaded.items()
        if any(name.startswith(prefix) for prefix in names)
    }
    check_state_dict(vgg.state_dict(), given, source=weights)
    vgg.load_state_dict(given)
    return vgg


def randomise(vgg: VGG16Features, seed: int) -> None:
    """Draw weights that keep the scale of activations from layer to layer."""
    generator = torch.Generator().manual_seed(seed)
    for layer in vgg:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu', generator=generator)
            nn.init.zeros_(layer.bias)
