"""An index that carries the seed of its image's augmentation, and its batch block."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np


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
    """Seeds Python's ``random`` and numpy's global generator, and puts both back afterwards.

    These two are what transforms draw from (mmcv's use numpy's, ours use ``random``). numpy's
    generator is swapped rather than saved and restored, which takes a tenth of the time.

    Args:
        seed: Seed of both, in [0, 2**32).
    """
    python_state = random.getstate()
    numpy_bits = np.random.get_bit_generator()
    random.seed(seed)
    np.random.set_bit_generator(np.random.PCG64(seed))
    try:
        yield
    finally:
        np.random.set_bit_generator(numpy_bits)
        random.setstate(python_state)
