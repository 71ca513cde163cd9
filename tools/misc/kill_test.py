"""Kill a training run at random moments, resume it, and compare it with an undisturbed one.

``python tools/misc/kill_test.py configs/agw/agw_synthetic.py --kills 10``

The run is ended with SIGKILL, which no program can notice, and started again with ``--resume``,
as often as asked for: in an epoch, between epochs, while a checkpoint is written, as it comes.
Compared with a run that nobody disturbed are, of every iteration, the images of the batch and all
logged values (losses, rates, gradient norms), and the weights, optimisers and schedules at the
end, all to the last bit. An iteration that was repeated after a kill must repeat itself.

Exit status 0 if nothing differs, 1 if anything does. Use a small config; it is run twice.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.engine.runner import clear_errors, read_config
from mmvireid.errors import RunStoppedError
from mmvireid.storage import load_checkpoint

TRAIN = Path(__file__).parents[1] / 'train.py'
#: Logged values that are measured, not computed.
MEASURED = ('time', 'data_time', 'memory', 'eta')
#: Writes down what every iteration is trained on; a module of its own, for ``custom_imports``.
RECORDER = '''
import zlib
from pathlib import Path

from mmengine.hooks import Hook

from mmvireid.registry import HOOKS


@HOOKS.register_module()
class BatchRecorder(Hook):
    """Append the iteration, a checksum of the images, and a dot that says the line is whole."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        checksum = zlib.crc32(data_batch['inputs'].numpy().tobytes())
        with open(Path(runner.work_dir, 'batches.txt'), 'a') as file:
            file.write(f'{runner.iter + 1} {checksum} .\\n')
'''


def prepare(config: str, options: dict | None, every: int, folder: Path) -> Path:
    """Write the config that both runs use: everything is logged, and saved every few iterations."""
    cfg = read_config(config, options)
    cfg.log_processor.window_size = 1
    cfg.default_hooks.logger = dict(type='LoggerHook', interval=1)
    cfg.default_hooks.recovery = dict(type='RecoveryHook', minutes=None, iterations=every)
    cfg.custom_hooks = [*cfg.get('custom_hooks', ()), dict(type='BatchRecorder')]
    imports = cfg.get('custom_imports', dict(imports=[]))
    cfg.custom_imports = dict(imports, imports=[*imports['imports'], 'batch_recorder'])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'batch_recorder.py').write_text(RECORDER)
    cfg.dump(folder / 'config.py')
    return folder / 'config.py'


def start(config: Path, work_dir: Path) -> subprocess.Popen:
    """Start or resume a run, with the recorder's folder on the import path."""
    program = (
        f'import runpy, sys; sys.path.insert(0, {str(config.parent)!r}); '
        f'sys.argv[0] = {str(TRAIN)!r}; runpy.run_path(sys.argv[0], run_name="__main__")'
    )
    work_dir.mkdir(parents=True, exist_ok=True)
    arguments = [str(config), '--work-dir', str(work_dir), '--resume']
    with open(work_dir / 'output.txt', 'a') as output:
        return subprocess.Popen(
            [sys.executable, '-c', program, *arguments], stdout=output, stderr=output
        )


def read_batches(work_dir: Path) -> list[tuple[int, int]]:
    """Iteration and checksum, in the order in which they happened."""
    path = work_dir / 'batches.txt'
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple(map(int, line.split()[:2])) for line in lines if line.endswith(' .')]


def finish(process: subprocess.Popen, work_dir: Path) -> None:
    """Wait for a run.

    Raises:
        RuntimeError: If it fails.
    """
    if process.wait() != 0:
        tail = (work_dir / 'output.txt').read_text()[-2000:]
        raise RunStoppedError(f'kill_test: a run ended with status {process.returncode}:\n{tail}')


def kill_at(process: subprocess.Popen, work_dir: Path, iteration: int, delay: float) -> None:
    """Kill a run some time after it has ended an iteration."""
    while process.poll() is None:
        done = read_batches(work_dir)
        if done and done[-1][0] >= iteration:
            time.sleep(delay)
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def read_log(work_dir: Path) -> dict[tuple[str, int], list[dict]]:
    """Logged values by mode and step; several where an iteration was repeated."""
    found = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # a line that was being written
            mode = 'train' if 'iter' in entry else 'val'
            step = entry.get('step', 0)
            values = {k: v for k, v in entry.items() if k not in MEASURED}
            found.setdefault((mode, step), []).append(values)
    return found


def differing(a, b, where: str = '') -> list[str]:
    """Where two nested values differ, to the last bit."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        same = a.dtype == b.dtype and torch.equal(a, b)
        return [] if same else [where]
    if isinstance(a, dict) and isinstance(b, dict) and set(a) == set(b):
        return [place for key in a for place in differing(a[key], b[key], f'{where}.{key}')]
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        pairs = enumerate(zip(a, b))
        return [place for i, (x, y) in pairs for place in differing(x, y, f'{where}.{i}')]
    return [] if type(a) is type(b) and a == b else [where]


def compare(straight: Path, killed: Path) -> dict[str, int]:
    """Number of differences by what was compared."""
    batches = dict(read_batches(straight))
    again = read_batches(killed)
    log, other_log = read_log(straight), read_log(killed)
    values = sum(
        entry != log.get(key, [None])[0] for key, entries in other_log.items() for entry in entries
    )
    ends = [
        load_checkpoint(str(max(folder.glob('epoch_*.pth'), key=lambda p: int(p.stem[6:]))))
        for folder in (straight, killed)
    ]
    return dict(
        batches=sum(batches.get(step) != checksum for step, checksum in again)
        + len(set(batches) - {step for step, _ in again}),
        values=values + len(set(log) - set(other_log)),
        **{
            key: len(differing(ends[0][key], ends[1][key]))
            for key in ('state_dict', 'optimizer', 'param_schedulers')
        },
    )


def run(args: argparse.Namespace) -> None:
    folder = Path(args.work_dir)
    straight, killed = folder / 'straight', folder / 'killed'
    config = prepare(args.config, args.cfg_options, args.every, folder)
    begin = time.monotonic()
    finish(start(config, straight), straight)
    total = len(read_batches(straight))
    rng = random.Random(args.seed)
    pause = 2 * (time.monotonic() - begin) / total  # up to two iterations, start-up included
    for iteration in sorted(rng.choices(range(1, total), k=args.kills)):
        kill_at(start(config, killed), killed, iteration, rng.uniform(0, pause))
    finish(start(config, killed), killed)
    found = compare(straight, killed)
    repeated = len(read_batches(killed)) - total
    print(
        f'{Path(args.config).stem}: {args.kills} kills in {total} iterations, {repeated} of them '
        f'repeated; differences: {", ".join(f"{n} {name}" for name, n in found.items())}'
    )
    if any(found.values()):
        raise SystemExit(1)


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('--kills', type=int, default=10, help='how often (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the moments')
    parser.add_argument(
        '--every', type=int, default=3, help='iterations between two checkpoints (%(default)s)'
    )
    parser.add_argument(
        '--work-dir', default='work_dirs/kill_test', help='a new folder for both runs'
    )
    add_options_argument(parser)
    args = parser.parse_args(argv)
    if args.kills < 1 or args.every < 1:
        parser.error('expected --kills and --every of at least 1.')
    if Path(args.work_dir).exists():
        parser.error(f'{args.work_dir} exists, expected a new folder (--work-dir).')
    with clear_errors('kill_test'):
        run(args)


if __name__ == '__main__':
    main()
