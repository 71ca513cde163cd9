"""Time and memory of a function, as benchmarks print them (memory: Linux only)."""

import resource
import threading
import time
from collections.abc import Callable

MEGABYTE = 2**20


def seconds(function: Callable[[], object], repeats: int = 1) -> float:
    """Shortest of some runs: what other work on the machine disturbs least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_extra_memory(function: Callable[[], object]) -> float:
    """Growth of the resident memory while a function runs, MiB, sampled every millisecond."""
    samples, done = [resident_memory()], threading.Event()

    def sample() -> None:
        while not done.wait(0.001):
            samples.append(resident_memory())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        function()
    finally:
        done.set()
        thread.join()
    return max(samples) - samples[0]


def resident_memory() -> float:
    """Memory of this process, MiB; of files that it has mapped, what is in memory."""
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize() / MEGABYTE
