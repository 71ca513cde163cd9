"""BatchNorm statistics that a forward pass leaves alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def kept_statistics(*modules: nn.Module) -> Iterator[None]:
    """Leave all buffers of BatchNorm layers as they are, for a block.

    In training mode the layers still normalise with the batch's own statistics, in evaluation
    mode with the running ones. It is for generated inputs: their statistics differ from those of
    the real ones, which evaluation needs.

    Args:
        *modules: Whose layers are meant.
    """
    layers = [m for module in modules for m in module.modules() if isinstance(m, _BatchNorm)]
    tracking = [layer.track_running_stats for layer in layers]
    for layer in layers:
        layer.track_running_stats = False  # an evaluating layer that has statistics uses them still
    try:
        yield
    finally:
        for layer, tracks in zip(layers, tracking):
            layer.track_running_stats = tracks
