"""BatchNorm statistics that a forward pass leaves alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def kept_statistics(*modules: nn.Module) -> Iterator[None]:
    """Keep the running statistics of BatchNorm layers as they are, for a block.

    In training mode the layers still normalise with the batch's own statistics. It is for
    generated inputs: their statistics differ from those of the real ones, which evaluation needs.

    Args:
        *modules: Whose layers are meant.
    """
    layers = [m for module in modules for m in module.modules() if isinstance(m, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
