"""Images per second and peak memory of a config's training pipeline, cached and not.

``python tools/benchmarks/benchmark_dataloader.py configs/agw/agw_sysu.py --num-workers 0
--picture-height 300 --cfg-options data_root=data/synthetic_small``

First each step alone, from a file to a batch, in microseconds of processor time per image; then the
whole loader. Images "per core" are those of a second of processor time, of all processes together:
what else runs on the machine changes that less than images per second. With workers it counts the
batches that they have ready at the end as well, which nobody took.

Rendered pictures are small. ``--picture-height`` measures on a copy of the data set whose pictures
are enlarged to the height of real ones.
"""

import argparse
import copy
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.datasets.loading.seeded_index import seeded_randomness
from mmvireid.datasets.reading.image_tree import IMAGE_SUFFIXES
from mmvireid.datasets.transforms.loading import read_image
from mmvireid.engine.runner import ReIDRunner, clear_errors, read_config

SAMPLING_SECONDS = 0.2
#: Images that each step is timed on.
NUM_TIMED = 256
JPEG_QUALITY = 95


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


def processor_time() -> float:
    """Seconds of processor time of this process and of the workers that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def images_per_second(loader: DataLoader, num_batches: int) -> tuple[float, float]:
    """Speed over some batches, from the start of the workers to their end.

    Returns:
        Images per second, and per second of processor time.
    """
    start, busy = time.perf_counter(), processor_time()
    with closing(batches(loader)) as stream:
        num_images = sum(len(batch['inputs']) for batch in islice(stream, num_batches))
        seconds = time.perf_counter() - start
    return num_images / seconds, num_images / (processor_time() - busy)


class StepTimes(Counter):
    """Seconds of processor time, by the name of the step."""

    def add(self, name: str, step: Callable, *args) -> Any:
        """Time a step; returns what it does."""
        start = time.process_time()
        result = step(*args)
        self[name] += time.process_time() - start
        return result


def time_steps(loader: DataLoader) -> dict[str, float]:
    """Time every step from a file to a batch, in this process.

    Args:
        loader: Its data set has a cache, and its pipeline begins with loading an image.

    Returns:
        Microseconds of processor time per image, in the order of the steps.
    """
    times, dataset = StepTimes(), loader.dataset
    size = len(next(iter(loader.batch_sampler)))
    step = max(1, len(dataset) // NUM_TIMED)
    indices = range(0, len(dataset), step)[:NUM_TIMED]
    rows = [dataset.get_data_info(index) for index in indices]
    load, *transforms = dataset.pipeline.transforms
    read = dataset.image_cache.read
    for row in rows:
        path = row['img_path']
        times.add('read the file', Path(path).read_bytes)
        image = times.add('read and decode', read_image, path, load.backend)
        times.add('resize', load, {'img': image})
        times.add('all of it, and keep', read, row['cache_slot'], path)
    for start in range(0, len(rows), size):
        items = []
        for row in rows[start : start + size]:
            row['img'] = times.add('from the cache', read, row['cache_slot'], '')
            times.add('seed', _seed, row['sample_idx'])
            for transform in transforms:
                row = times.add(type(transform).__name__, transform, row)
            items.append(row)
        times.add('collate', loader.collate_fn, items)
    return {name: 1e6 * seconds / len(rows) for name, seconds in times.items()}


def _seed(seed: int) -> None:
    with seeded_randomness(seed):
        pass


def enlarge(root: Path, out: Path, height: int) -> None:
    """Copy a data set, with all pictures of one height.

    Args:
        root: Data root.
        out: Data root of the copy, empty.
        height: Of the pictures; widths stay in proportion.
    """
    paths = [path for path in sorted(root.rglob('*')) if '.image_cache' not in path.parts]
    for path in track(paths, 'enlarging', console=Console(stderr=True), transient=True):
        target = out / path.relative_to(root)
        if path.is_dir():
            target.mkdir()
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            picture = read_image(str(path))
            width = round(picture.shape[1] * height / picture.shape[0])
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        else:
            shutil.copy(path, target)


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
    return ReIDRunner.build_dataloader(settings, seed=0)


def report(label: str, loader: DataLoader, num_batches: int) -> None:
    """Measures one loader and prints a line."""
    with peak_memory() as memory:
        speed, per_core = images_per_second(loader, num_batches)
    print(
        f'{label:<16} {speed:>10,.0f} {per_core:>10,.0f} {memory.own:>12,.0f} '
        f'{memory.files:>12,.0f}',
        flush=True,
    )


def report_steps(loader: DataLoader) -> None:
    """Times the steps and prints a line for each."""
    print(f'{"step":<24} {"us/image":>9}')
    for name, time_of_step in time_steps(loader).items():
        print(f'{name:<24} {time_of_step:>9.1f}')
    print(flush=True)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--iters', type=int, default=50, help='batches per measurement')
    parser.add_argument('--num-workers', type=int, help="instead of the config's number")
    parser.add_argument(
        '--picture-height', type=int, help='measure on a copy with pictures of this height'
    )
    add_options_argument(parser)
    args = parser.parse_args(argv)
    if not Path('/proc/self/smaps_rollup').exists():
        parser.error('memory is read from /proc/<pid>/smaps_rollup, which this system lacks.')
    return args


@steady_screen()
def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    args = parse_args(argv)
    with clear_errors('benchmark_dataloader'), tempfile.TemporaryDirectory() as folder:
        config = read_config(args.config, args.cfg_options)
        cv2.setNumThreads(0)
        loader = config.train_dataloader
        if args.num_workers is not None:
            loader.num_workers = args.num_workers
        init_default_scope('mmvireid')
        if args.picture_height is not None:
            build(config, cache=None)  # renders what is not there yet
            enlarge(Path(loader.dataset.data_root), Path(folder), args.picture_height)
            loader.dataset.data_root = folder
        run(config, args.iters)
    return 0


def run(config: Config, num_batches: int) -> None:
    """Measures the steps, then loaders without a cache, and with both kinds empty and full."""
    with tempfile.TemporaryDirectory() as folder:
        report_steps(build(config, cache='disk', cache_dir=folder))
    columns = f'{"images/s":>10} {"per core":>10} {"memory, MB":>12} {"files, MB":>12}'
    print(f'{"cache":<16} {columns}')
    report('none', build(config, cache=None), num_batches)
    for cache in ('ram', 'disk'):
        with tempfile.TemporaryDirectory() as folder:
            loader = build(config, cache=cache, cache_dir=folder)
            report(f'{cache}, empty', loader, num_batches)
            fill_cache(loader)
            report(f'{cache}, full', loader, num_batches)


if __name__ == '__main__':
    raise SystemExit(main())
