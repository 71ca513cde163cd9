import itertools

import numpy as np

from mmvireid.datasets.rendering.seeding import Stream, generator


def test_a_generator_is_a_function_of_its_numbers():
    expected = np.random.default_rng([4, 2, 7]).random(3)
    generator(4, Stream.PERSON, 7).random(5)  # another one draws in between
    np.testing.assert_array_equal(generator(4, Stream.ROOM, 7).random(3), expected)


def test_no_two_things_share_a_generator():
    keys = [(seed, stream, *key) for seed, stream in itertools.product((0, 1), Stream)
            for key in ((), (1,), (2,), (1, 2), (2, 1))]  # fmt: skip
    drawn = {generator(*key).random() for key in keys}
    assert len(drawn) == len(keys)
