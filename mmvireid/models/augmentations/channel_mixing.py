"""Images whose channels are mixed, each image in its own way."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Beta

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import copy_to
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .base_augmentation import BaseAugmentation

#: Grey of a colour, by its red, green and blue: ITU-R 601-2, as Pillow, torchvision and OpenCV do.
GREY_WEIGHTS = (0.299, 0.587, 0.114)


class ChannelMixing(BaseAugmentation):
    """Base of what makes every channel a weighted sum of the three."""

    @abstractmethod
    def draw_weights(self, count: int) -> Tensor:
        """Draw the weights.

        Args:
            count: Number N of images.

        Returns:
            Weight of each old channel (last) in each new one, float64 or float32, on the CPU, shape
            (N, 3, 3).
        """

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        weights = copy_to(images.device, self.draw_weights(len(images)).to(images.dtype))
        first, *others = (weights[:, :, c, None, None] for c in range(3))  # (N, 3, 1, 1) each
        mixed = first * images[:, :1]
        for channel, weight in enumerate(others, start=1):
            # no matrix product: TF32 would round what is only copied
            mixed = torch.addcmul(mixed, weight, images[:, channel : channel + 1])
        return mixed


@MODELS.register_module()
class GreyAugmentation(ChannelMixing):
    """The grey of the image in all three channels.

    Args:
        prob: As in :class:`BaseAugmentation`.
        weights: Of red, green and blue.
        space: ``'raw'``: a weighted sum of normalised channels is no grey of the image.
    """

    spaces = ('raw',)

    def __init__(
        self,
        prob: float = 0.5,
        weights: Sequence[float] = GREY_WEIGHTS,
        space: str | None = None,
    ) -> None:
        super().__init__(prob, space)
        self.weights = torch.tensor(weights, dtype=torch.float64, device='cpu')

    def draw_weights(self, count: int) -> Tensor:
        return self.weights.expand(count, 3, 3)


@MODELS.register_module()
class ChannelCopyAugmentation(ChannelMixing):
    """One channel, drawn uniformly, in place of all three.

    Source: CAJ (Ye et al., ICCV 2021). Its "channel exchange" is this as it stands; its "channel
    adaptive grey" has ``grey=0.5``, the release's ``probability``: of the fourth choice alone. On
    normalised values, as released, infrared images change too: their channels are equal as a
    file has them, and are normalised by different figures.

    Args:
        prob: As in :class:`BaseAugmentation`.
        channels: Which may be copied; 0, 1 and 2 are red, green and blue.
        grey: Probability of grey in one more choice beside the channels, which else leaves the
            image as it is; ``None`` for no further choice.
        grey_weights: Of red, green and blue in that grey, as released.
        space: ``'normalized'`` or ``'raw'``.

    Raises:
        ValueError: If an argument is not allowed.
    """

    spaces = ('normalized', 'raw')

    def __init__(
        self,
        prob: float = 1.0,
        channels: Sequence[int] = (0, 1, 2),
        grey: float | None = None,
        grey_weights: Sequence[float] = (0.2989, 0.587, 0.114),
        space: str | None = None,
    ) -> None:
        super().__init__(prob, space)
        if not channels or not set(channels) <= {0, 1, 2} or not 0 <= (grey or 0) <= 1:
            raise InvalidValueError(
                f'ChannelCopyAugmentation: `channels` is {tuple(channels)} and `grey` {grey}, '
                'expected some of (0, 1, 2), and a probability or None.'
            )
        self.channels, self.grey = tuple(channels), grey
        own = torch.eye(3, device='cpu')
        rows = [*(own[channel] for channel in channels), torch.tensor(grey_weights, device='cpu')]
        self.mixes = torch.stack([*(row.expand(3, 3) for row in rows), own])

    def draw_weights(self, count: int) -> Tensor:
        grey = len(self.channels)
        choices = torch.randint(grey + (self.grey is not None), (count,))
        unchanged = (choices == grey) & (torch.rand(count) >= (self.grey or 0))
        return self.mixes[choices + unchanged]


@MODELS.register_module()
class ChannelScalingAugmentation(ChannelMixing):
    """Multiply each channel by a factor of its own.

    Source: MSCMNet, released code, for infrared images.

    Args:
        prob: As in :class:`BaseAugmentation`.
        factors: Smallest and largest factor, uniform.
        space: ``'normalized'`` or ``'raw'``.
    """

    spaces = ('normalized', 'raw')

    def __init__(
        self,
        prob: float = 0.5,
        factors: Sequence[float] = (0.02, 1.0),
        space: str | None = None,
    ) -> None:
        super().__init__(prob, space)
        self.factors = tuple(factors)

    def draw_weights(self, count: int) -> Tensor:
        return torch.diag_embed(torch.empty(count, 3).uniform_(*self.factors))


@MODELS.register_module()
class ModerateEnhancementAugmentation(ChannelMixing):
    r"""A random grey: red, green and blue with random weights, in all three channels.

    .. math:: \sum_c w_c x_c, \quad w_c = b_c / (b_R + b_G + b_B), \quad b_c \sim \mathrm{Beta}

    Source: moderate random linear enhancement of RLE (NeurIPS 2024). No effect on images with
    three equal channels.

    Args:
        prob: As in :class:`BaseAugmentation`.
        beta: Both parameters of the Beta distribution, positive.
        space: ``'raw'``.

    Raises:
        ValueError: If ``beta`` is not positive.
    """

    spaces = ('raw',)

    def __init__(self, prob: float = 0.5, beta: float = 0.3, space: str | None = None) -> None:
        super().__init__(prob, space)
        self.law = beta_law(type(self).__name__, beta)

    def draw_weights(self, count: int) -> Tensor:
        draws = self.law.sample((count, 1, 3))
        return (draws / draws.sum(dim=2, keepdim=True)).expand(-1, 3, -1)


def beta_law(owner: str, beta: float) -> Beta:
    """The symmetric Beta distribution, in float64: none of its draws is 0 or 1 for good.

    Raises:
        ValueError: If ``beta`` is not positive; names the class of ``owner``.
    """
    if not beta > 0:
        raise InvalidValueError(f'{owner}: `beta` is {beta}, expected a positive number.')
    parameter = torch.tensor(beta, dtype=torch.float64, device='cpu')
    return Beta(parameter, parameter)
