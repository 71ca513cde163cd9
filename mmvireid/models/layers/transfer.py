"""Values on their way to a device."""

import torch
from torch import Tensor


def copy_to(device: torch.device, values: Tensor) -> Tensor:
    """Copy a CPU tensor to a device, without waiting for a GPU.

    Args:
        device: Where it is needed.
        values: On the CPU, of any shape.

    Returns:
        The same values there, of the same shape.

    Example:
        >>> copy_to(torch.device('cpu'), torch.ones(2))
        tensor([1., 1.])
    """
    if device.type == 'cuda':
        values = values.pin_memory()
    return values.to(device, non_blocking=True)
