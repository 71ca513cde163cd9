"""Images per second and peak memory of a config's training pipeline, cached and not."""

import copy
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import track
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.engine.runner import read_config
from mmvireid.errors import Refusal

SAMPLING_SECONDS = 0.2


def memory_of(process: int) -> tuple[float, float]:
    """Memory of a process in MB: its own (with its part of shared memory), and of mapped files.

    The second is the system's to drop whenever it needs room. Pages that processes share count
    in equal parts, so that sums over processes are right.
    """
    try:
        lines = Path(f'/proc/{process}/smaps_rollup').read_text().splitlines()
    except OSError:  # it has ended
        return 0.0, 0.0
    sizes = {line.split()[0]: float(line.split()[1]) / 1e3 for line in lines[1:]}
    return sizes['Pss:'] - sizes['Pss_File:'], sizes['Pss_File:']


class PeakMemory(threading.Thread):
    """Watches the memory of this process and its workers.

    Attributes:
        own: Peak of the processes' own memory, in MB.
        files: Peak of mapped files, in MB.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = self.files = 0.0
        self._stop_event = threading.Event()

    def run(self) -> None:
        while not self._stop_event.wait(SAMPLING_SECONDS):
            children = multiprocessing.active_children()
            sizes = [memory_of(pid) for pid in [os.getpid(), *(child.pid for child in children)]]
            self.own = max(self.own, sum(own for own, _ in sizes))
            self.files = max(self.files, sum(files for _, files in sizes))

    def stop(self) -> None:
        """Ends the watch."""
        self._stop_event.set()
        self.join()


@contextmanager
def peak_memory() -> Iterator[PeakMemory]:
    """A watch over the memory while the block runs."""
    watch = PeakMemory()
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def batches(loader: DataLoader) -> Iterator[dict]:
    """Batches without end, over as many epochs as it takes."""
    for epoch in count():
        loader.batch_sampler.sampler.set_epoch(epoch)
        yield from loader


def images_per_second(loader: DataLoader, num_batches: int) -> float:
    """Speed over some batches, from the start of the workers to the last batch."""
    start = time.perf_counter()
    num_images = sum(len(batch['inputs']) for batch in islice(batches(loader), num_batches))
    return num_images / (time.perf_counter() - start)


def fill_cache(loader: DataLoader) -> None:
    """Reads every image of the data set once."""
    dataset = loader.dataset
    rows = range(len(dataset))
    for index in track(rows, 'filling the cache', console=Console(stderr=True), transient=True):
        dataset[index]


def build(config: Config, **dataset_options) -> DataLoader:
    """The training loader of a config with other data set options."""
    settings = copy.deepcopy(config.train_dataloader)
    settings.dataset.update(dataset_options)
    # Else the workers of one measurement would still be there in the next.
    settings.persistent_workers = False
    return Runner.build_dataloader(settings, seed=0)


def report(label: str, loader: DataLoader, num_batches: int) -> None:
    """Measures one loader and prints a line."""
    with peak_memory() as memory:
        speed = images_per_second(loader, num_batches)
    print(f'{label:<16} {speed:>10,.0f} {memory.own:>12,.0f} {memory.files:>14,.0f}', flush=True)


@steady_screen()
def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('--iters', type=int, default=50, help='batches per measurement')
    parser.add_argument('--num-workers', type=int, help="instead of the config's number")
    add_options_argument(parser)
    args = parser.parse_args(argv)
    if not Path('/proc/self/smaps_rollup').exists():
        parser.error('memory is read from /proc/<pid>/smaps_rollup, which this system lacks.')
    try:
        config = read_config(args.config, args.cfg_options)
        if args.num_workers is not None:
            config.train_dataloader.num_workers = args.num_workers
        init_default_scope('mmvireid')
        run(config, args.iters)
    except Refusal as error:
        parser.refuse(error)
    return 0


def run(config: Config, num_batches: int) -> None:
    """Measures without a cache, and with both kinds empty and full."""
    print(f'{"cache":<16} {"images/s":>10} {"memory, MB":>12} {"files, MB":>14}')
    report('none', build(config, cache=None), num_batches)
    for cache in ('ram', 'disk'):
        with tempfile.TemporaryDirectory() as folder:
            loader = build(config, cache=cache, cache_dir=folder)
            report(f'{cache}, empty', loader, num_batches)
            fill_cache(loader)
            report(f'{cache}, full', loader, num_batches)


if __name__ == '__main__':
    raise SystemExit(main())
