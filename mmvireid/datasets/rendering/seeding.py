"""One random generator per thing that is drawn, so that no drawing depends on another one."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a generator is for; part of its seed."""

    PERSON = 0
    IMAGE = 1
    ROOM = 2
    CAMERA = 3
    SPLIT = 4
    SENSOR = 5


def generator(seed: int, stream: Stream, *key: int) -> np.random.Generator:
    """The random generator of one person, image, room, camera, split or sensor.

    Args:
        seed: Seed of the data set, not negative.
        stream: Kind of thing that is drawn.
        *key: Numbers that tell which one, not negative.

    Returns:
        A generator that is the same in every process and in any order of calls.

    Example:
        >>> first, second = (generator(0, Stream.IMAGE, 3, 1).random() for _ in range(2))
        >>> first == second
        True
    """
    return np.random.default_rng([seed, int(stream), *key])
