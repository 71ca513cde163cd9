"""Models inside wrappers for several processes."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """The model itself, whether or not it is wrapped for several processes.

    Example:
        >>> unwrap(nn.Linear(1, 1))
        Linear(in_features=1, out_features=1, bias=True)
    """
    return model.module if is_model_wrapper(model) else model
