import time

import numpy as np
import pytest

from mmvireid.apis import peak_extra_memory, seconds


def test_the_shortest_run_counts():
    pauses = iter([0.06, 0.02, 0.1])
    assert 0.02 <= seconds(lambda: time.sleep(next(pauses)), repeats=3) < 0.06


def test_memory_at_its_peak_not_at_its_end():
    def allocate():
        block = np.ones(2**23)  # 64 MiB
        time.sleep(0.05)
        return len(block)

    assert 60 < peak_extra_memory(allocate) < 90


def test_an_error_of_the_function_is_its_own():
    with pytest.raises(ZeroDivisionError):
        peak_extra_memory(lambda: 1 / 0)
