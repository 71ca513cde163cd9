"""How a data loading worker starts."""

import cv2
import torch

from mmvireid.registry import FUNCTIONS


@FUNCTIONS.register_module()
def reid_worker_init(worker_id: int) -> None:
    """Keep a worker on one thread, also when it was spawned and inherited no settings.

    It leaves the random numbers alone: PyTorch has already seeded ``random``, numpy and itself
    from the loader's base seed, which is drawn anew in every epoch from the main process's
    generator. MMEngine's own function would replace that by the same constant in each epoch.
    Training images do not use these generators at all, see :class:`SeededIndex`.

    MMEngine looks functions up in its own registry only: a config names this one with its scope,
    ``worker_init_fn=dict(type='mmvireid.reid_worker_init')``.

    Args:
        worker_id: Number of the worker; PyTorch passes it.
    """
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
