"""Several processes: on GPUs, and on CPUs where there is none."""

import gc
import inspect
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as torch_dist
from mmengine.model import MMDistributedDataParallel, MMSeparateDistributedDataParallel
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODEL_WRAPPERS

from .work_dir_lock import process_rank


@MODEL_WRAPPERS.register_module()
class ReIDDistributedDataParallel(MMDistributedDataParallel):
    """Data-parallel wrapper for one optimiser, on GPUs (nccl) or CPUs (gloo).

    BatchNorm buffers are not exchanged in every iteration; ``SyncBuffersHook`` averages them at
    the end of an epoch, so that all ranks evaluate, and a checkpoint continues, the same model.

    Args:
        module: The model.
        device_ids: The GPU of this process; ignored on CPUs.
        **kwargs: As in :class:`torch.nn.parallel.DistributedDataParallel`.
    """

    def __init__(self, module: nn.Module, device_ids: list[int] | None = None, **kwargs) -> None:
        parameters = inspect.signature(DistributedDataParallel.__init__).parameters
        renamed = 'forward_sync_buffers' in parameters  # torch 2.15 deprecates the old name
        kwargs.setdefault('forward_sync_buffers' if renamed else 'broadcast_buffers', False)
        on_gpu = next(module.parameters()).device.type == 'cuda'
        super().__init__(module, device_ids=device_ids if on_gpu else None, **kwargs)
        self._register_load_state_dict_pre_hook(self._add_own_name)

    def state_dict(self, *args, **kwargs) -> dict:
        """The weights by the names that they have in a model without the wrapper."""
        return self.module.state_dict(*args, **kwargs)

    @staticmethod
    def _add_own_name(state_dict: dict, prefix: str, *_) -> None:
        """Take such names, where torch looks for those within the wrapper."""
        for name in [name for name in state_dict if name.startswith(prefix)]:
            state_dict[f'{prefix}module.{name.removeprefix(prefix)}'] = state_dict.pop(name)


@MODEL_WRAPPERS.register_module()
class ReIDSeparateDistributedDataParallel(MMSeparateDistributedDataParallel):
    """Data-parallel wrapper for several optimisers: every child of the model is wrapped alone.

    Args:
        module: The model; its children with parameters are wrapped as in
            :class:`ReIDDistributedDataParallel`.
        device_ids: The GPU of this process; ignored on CPUs.
        **kwargs: As in :class:`torch.nn.parallel.DistributedDataParallel`. Stages that freeze a
            part need ``find_unused_parameters=True``.
    """

    def __init__(self, module: nn.Module, device_ids: list[int] | None = None, **kwargs) -> None:
        super(DistributedDataParallel, self).__init__()  # its own would wrap for GPUs only
        self.module = module
        for name, child in module.named_children():
            if any(parameter.requires_grad for parameter in child.parameters()):
                wrapped = ReIDDistributedDataParallel(child, device_ids=device_ids, **kwargs)
                setattr(module, name, wrapped)


@contextmanager
def distributed(launcher: str) -> Iterator[None]:
    """Join the job's processes for the duration of a block.

    Uses gloo where there is no GPU (MMEngine's own start-up insists on one), and leaves the
    group only after everything built in the block is gone: torch aborts a process now and then
    that leaves earlier. After an error the process ends without leaving: on GPUs it could wait for
    the others, and on CPUs they could fail before it has ended, and be taken for the cause.

    Args:
        launcher: ``'none'``, ``'pytorch'`` (torchrun) or ``'slurm'``/``'mpi'`` (left to MMEngine).

    Example:
        >>> with distributed('none'):
        ...     pass
    """
    if launcher == 'pytorch' and not torch.cuda.is_available():
        for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
            if name not in os.environ:
                raise InvalidValueError(
                    f"distributed: `launcher` is 'pytorch' but {name} is not set, expected a start "
                    'through tools/dist_train.sh, tools/dist_test.sh or torchrun.'
                )
        torch_dist.init_process_group('gloo')
    if process_rank(launcher) != 0 and not sys.warnoptions:
        warnings.simplefilter('ignore')  # the first process says it
    yield
    gc.collect()
    if torch_dist.is_initialized():
        torch_dist.destroy_process_group()
