"""What networks made of strided convolutions share."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmengine.model import normal_init
from torch import nn
from torch.backends import cudnn

from mmvireid.errors import InvalidValueError


def init_convolutions(network: nn.Module, std: float = 0.02) -> None:
    """Draw all convolution weights of a network from N(0, std) and set their biases to 0.

    Transposed convolutions too; every other layer stays as it is.

    Source: Radford et al., "Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks" (ICLR 2016).

    Args:
        network: Is changed in place.
        std: Standard deviation of the weights.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            normal_init(layer, std=std)


def check_reduced_size(owner: str, size: Sequence[int], factor: int) -> None:
    """Check that an input reduced by ``factor`` keeps the two positions that InstanceNorm needs.

    Args:
        owner: The network's class, for the message.
        size: Height and width of the input.
        factor: What both are divided by, and rounded down.

    Raises:
        ValueError: If less than two positions are left.
    """
    reduced = tuple(length // factor for length in size)
    if math.prod(reduced) < 2:
        raise InvalidValueError(
            f'{owner}: `input_size` is {tuple(size)}, expected at least {(2 * factor, factor)} or '
            f'{(factor, 2 * factor)}: its layers reduce it {factor} times, to {reduced}, and '
            'InstanceNorm needs more than one position.'
        )


@contextmanager
def untuned_convolutions() -> Iterator[None]:
    """A block in which cuDNN does not try out its algorithms for every new size of input.

    With ``cudnn_benchmark`` each new size costs about a second. In training all batches are alike;
    in evaluation the shares of the modalities, and so the sizes, differ from batch to batch.
    """
    tuned, cudnn.benchmark = cudnn.benchmark, False
    try:
        yield
    finally:
        cudnn.benchmark = tuned
