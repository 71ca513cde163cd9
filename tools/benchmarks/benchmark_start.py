"""Seconds from a command to its help and to the first iteration of a training, and where they go.

``python tools/benchmarks/benchmark_start.py configs/agw/agw_sysu.py --cfg-options data_root=DIR``

Each line is a process of its own, which ends where the line says: bare imports, this package,
``train.py --help``, and a training before the step of its first iteration, of which it is told
where the time went. The lines take turns, and the fastest of each counts. Ratios are of processor
time (of all threads, data workers left out), which other programs change less than seconds.
"""

import argparse
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, heavy_imports, parse_run_args, steady_screen
from mmvireid.errors import RunStoppedError

TRAIN = Path(__file__).resolve().parents[1] / 'train.py'
#: What the training prints before each of its times.
MARK = 'start:'
PHASES = {
    'imports': 'imports',
    'before_run': 'config, model, data set',
    'before_train_epoch': 'optimisers, checks',
    'first batch': 'first batch',
    'before_train_iter': 'rehearsal',
}


def mark(phase: str) -> None:
    """Print the time since this process has started, and its processor time."""
    ticks = int(Path('/proc/self/stat').read_text().rpartition(')')[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf('SC_CLK_TCK')
    print(MARK, phase.replace(' ', '_'), age, time.process_time(), flush=True)


def start_training(argv: list[str]) -> None:
    """Train until the first iteration is about to step, and end this process there."""
    with heavy_imports():
        from mmvireid.apis.training import run_training
    from mmvireid.engine.runner import ReIDRunner
    from mmvireid.registry import RUNNERS

    mark('imports')

    @RUNNERS.register_module()
    class StartRunner(ReIDRunner):
        """Tells when it gets where, and ends before the first step."""

        def call_hook(self, fn_name: str, **kwargs) -> None:
            if fn_name == 'before_train_iter':
                mark('first batch')
            super().call_hook(fn_name, **kwargs)
            if fn_name in PHASES:
                mark(fn_name)
            if fn_name == 'before_train_iter':
                for worker in multiprocessing.active_children():
                    worker.kill()
                    worker.join()
                os._exit(0)

    parser = CommandParser()
    parser.add_argument('config')
    args = parse_run_args(parser, argv)
    args.resume, args.amp = None, False
    args.cfg_options = {**(args.cfg_options or {}), 'runner_type': 'StartRunner'}
    run_training(args)


def run(command: Sequence[str]) -> tuple[float, float, str]:
    """Seconds and processor time of a command, and what it has printed.

    Raises:
        RuntimeError: If it fails.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    finished = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
    )
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if finished.returncode:
        reason = finished.stderr.strip().rpartition('\n')[2]
        raise RunStoppedError(f'benchmark_start: {" ".join(command)} failed: {reason}')
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, busy, finished.stdout


def phases(output: str) -> list[tuple[str, float, float]]:
    """What a training has told: phases with their seconds and processor time.

    Example:
        >>> phases('start: imports 3.0 2.5\\nany line\\nstart: before_run 5.0 4.0')
        [('imports', 3.0, 2.5), ('config, model, data set', 2.0, 1.5)]
    """
    found, last = [], (0.0, 0.0)
    for line in output.splitlines():
        if line.startswith(MARK):
            phase, *times = line.split()[1:]
            now = tuple(map(float, times))
            name = PHASES[phase if phase in PHASES else phase.replace('_', ' ')]
            found.append((name, now[0] - last[0], now[1] - last[1]))
            last = now
    return found


def parse_args(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('--turns', type=int, default=3, help='turns of each line')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    return args, [args.config, *options]


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ['--start']:
        start_training(argv[1:])
    args, training = parse_args(argv)
    with tempfile.TemporaryDirectory() as work_dir:
        train = [__file__, '--start', *training, '--work-dir', work_dir]
        commands = {
            'import torch, mmengine': ['-c', 'import torch, mmengine'],
            'import mmvireid': ['-c', 'import mmvireid'],
            'train.py --help': [str(TRAIN), '--help'],
            'training': train,
        }
        runs = {name: [] for name in commands}
        for _ in range(args.turns):
            for name, command in commands.items():
                runs[name].append(run(command))
    best = {name: min(several) for name, several in runs.items()}
    lines = [(name, *best[name][:2]) for name in commands]
    lines += [(f'  {name}', *times) for name, *times in phases(best['training'][2])]
    bare = best['import torch, mmengine'][1]
    print(f'{"":<28} {"s":>8} {"CPU s":>8} {"ratio":>8}')
    for name, seconds, busy in lines:
        print(f'{name:<28} {seconds:>8.2f} {busy:>8.2f} {busy / bare:>8.2f}')


if __name__ == '__main__':
    main()
