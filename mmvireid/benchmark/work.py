"""What a process does that runs one cell."""

import json
import platform
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import torch

from mmvireid.engine.hooks.checkpoint_hook import newest_checkpoint
from mmvireid.errors import RunStoppedError
from mmvireid.evaluation.query_results import load_queries
from mmvireid.evaluation.report import FIGURES
from mmvireid.storage import read_text, write_atomically

from .cells import Cell, config_hash, final_config

#: Where a cell's process leaves its line.
LINE = 'line.json'
#: What earlier parts of a cell that was interrupted have used.
USED = 'used.json'
#: What of a report's provenance says how a figure was measured.
_PROTOCOL = (
    'protocol', 'test_data', 'modes', 'shots', 'gallery', 'num_trials',
    'num_images', 'feature_size', 'distance', 'flip', 'rerank', 'selection',
)  # fmt: skip


def run_cell(
    cell: Cell,
    folder: Path,
    queries: Path,
    train: Callable[[list[str]], None],
    test: Callable[[list[str]], None],
    commit: str,
) -> None:
    """Train and test a cell, from where an earlier process has left it, and write its line.

    Args:
        cell: What to run.
        folder: Its work dir.
        queries: Where the results of its queries go.
        train: ``main`` of ``tools/train.py``.
        test: ``main`` of ``tools/test.py``.
        commit: Which state of the code runs.
    """
    cfg = final_config(cell)
    config = folder / 'cell_config.py'
    write_atomically(cfg.pretty_text.encode(), config)
    used = Usage(folder / USED)
    common = ['--work-dir', str(folder)]
    with used.measure('train'):
        train([str(config), '--resume', *common])
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None:
        raise RunStoppedError(f'run_cell: the training left no checkpoint in {folder}.')
    with used.measure('test'):
        test([str(config), str(checkpoint), *common])
    line = dict(
        json.loads(cell.to_json()),
        name=cell.name,
        config_hash=config_hash(cfg),
        commit=commit,
        **read_report(folder),
        **used.to_dict(),
        machine=describe_machine(),
        finished=datetime.now(UTC).isoformat(timespec='seconds'),
    )
    shutil.copy(next(folder.glob('*_queries.npz')), queries)
    write_atomically(json.dumps(line).encode(), folder / LINE)


class Usage:
    """Seconds and memory, added up over the processes that a cell has had.

    Args:
        path: Where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        earlier = json.loads(read_text(path)) if path.is_file() else {}
        self.seconds = earlier.get('seconds', {})
        self.memory = earlier.get('peak_memory_gib', {})

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """A block of which the time counts for a part, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._add(part, time.monotonic() - began)

    def to_dict(self) -> dict:
        """Plain values for a line."""
        return dict(seconds=self.seconds, peak_memory_gib=self.memory)

    def _add(self, part: str, seconds: float) -> None:
        self.seconds[part] = round(self.seconds.get(part, 0) + seconds, 1)
        unit = 1 if sys.platform == 'darwin' else 2**10  # bytes, or KiB
        peaks = dict(resident=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
        if torch.cuda.is_available():
            peaks['gpu'] = torch.cuda.max_memory_allocated()
        for name, size in peaks.items():
            self.memory[name] = max(self.memory.get(name, 0), round(size / 2**30, 2))
        write_atomically(json.dumps(self.to_dict()).encode(), self.path)


def read_report(folder: Path) -> dict:
    """Figures of a test, in percent, with how they were measured.

    Args:
        folder: Where ``tools/test.py`` has written.
    """
    report = json.loads(read_text(next(folder.glob('*_report.json'))))
    results, provenance = load_queries(next(folder.glob('*_queries.npz')))
    headline, queries = next(iter(results.items()))
    trials = {}
    for setting, result in report['results'].items():
        rows = result['per_trial']
        trials[setting] = {name: [_figure(row, name) for row in rows] for name in FIGURES}
    return dict(
        protocol={key: provenance[key] for key in _PROTOCOL if key in provenance},
        trials=trials,
        identities=queries.by_identity(headline).to_dict(),
    )


def _figure(row: dict, name: str) -> float:
    cmc = row['cmc']
    value = cmc[min(int(name[1:]), len(cmc)) - 1] if name.startswith('R') else row[name]
    return round(100 * value, 4)


def describe_machine() -> dict[str, str]:
    """Processor, GPU and versions."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    machine = dict(cpu=names[0] if names else platform.processor() or platform.machine())
    if torch.cuda.is_available():
        machine['gpu'] = torch.cuda.get_device_name()
    return machine | dict(torch=torch.__version__, python=platform.python_version())
