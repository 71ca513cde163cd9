"""A frozen network that accompanies a model without being a part of it."""

from collections.abc import Callable
from typing import Any

from torch import nn


class Companion(nn.Module):
    """Holds a frozen network that goes where its model goes, and nothing more.

    A loss that looks at its input through a pretrained network needs that network on the right
    device, and nowhere else: as an ordinary submodule it would be saved with every checkpoint,
    be asked for when one is loaded, be handed to the optimiser and to other processes, and be put
    into training mode. The companion is therefore no registered submodule. It

    - follows ``.to(...)``, ``.cuda()``, ``.double()`` and memory formats of the model;
    - is copied with it by ``copy.deepcopy``;
    - has no part in ``state_dict``, ``parameters``, ``buffers`` and ``modules``;
    - stays in evaluation mode, and its parameters need no gradient. A gradient to its *input*
      flows as ever.

    Args:
        network: The network, ``None`` as long as there is none (see :meth:`hold`).

    Example:
        >>> model = nn.Sequential(Companion(nn.Linear(2, 1)))
        >>> len(model.state_dict()), len(list(model.parameters()))
        (0, 0)
        >>> model.double()[0].network.weight.dtype
        torch.float64
    """

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        self.hold(network)

    def hold(self, network: nn.Module | None) -> None:
        """Take a network in, in place of the one before, and freeze it."""
        if network is not None:
            network.eval().requires_grad_(False)
        object.__setattr__(self, 'network', network)  # nn.Module's own would register it

    def _apply(self, fn: Callable, recurse: bool = True) -> 'Companion':
        if self.network is not None:
            self.network._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the network."""
        return self.network(*args, **kwargs)
