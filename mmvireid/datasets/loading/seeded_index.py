"""An index that carries the seed of its image's augmentation, and its batch block."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch


class SeededIndex(NamedTuple):
    """Which image to load, and the seed of every random number that its pipeline draws.

    A batch sampler that yields these makes the augmentation a function of what it drew, and not
    of how many workers share the loading or how long they have lived.

    Attributes:
        index: Row of the data set.
        seed: Seed in [0, 2**32).
        block: Name of the batch block that the image belongs to, ``None`` in a batch without
            blocks.
    """

    index: int
    seed: int
    block: str | None = None


@contextmanager
def seeded_randomness(seed: int) -> Iterator[None]:
    """Seeds the global generators of Python, numpy and torch (CPU), and puts them back afterwards.

    These are what transforms draw from: ours use ``random``, mmcv's numpy's, torchvision's
    torch's. numpy's generator is swapped rather than saved and restored, which takes a tenth of
    the time; torch's is seeded alone, because ``torch.manual_seed`` turns to every GPU as well.

    Args:
        seed: Seed of all three, in [0, 2**32).
    """
    python_state = random.getstate()
    numpy_bits = np.random.get_bit_generator()
    torch_state = torch.get_rng_state()
    random.seed(seed)
    np.random.set_bit_generator(np.random.PCG64(seed))
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_bit_generator(numpy_bits)
        random.setstate(python_state)
