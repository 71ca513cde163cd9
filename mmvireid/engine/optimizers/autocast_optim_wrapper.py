"""bf16 autocast on any device."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmvireid.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Forward in bf16 where that is safe, parameters and updates in float32.

    bf16 has the range of float32, so no loss scaling is needed, and it works on CPUs as well as
    on GPUs (MMEngine's ``AmpOptimWrapper`` refuses CPUs). Losses and the neck compute in float32.

    Args:
        **kwargs: As in MMEngine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast on the model's device."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
