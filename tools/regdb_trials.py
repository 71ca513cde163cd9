"""Train and test RegDB's ten splits, and average them.

``python tools/regdb_trials.py configs/agw/agw_regdb.py [--test-only] [--amp ...]``

Every trial is one run of train.py and one of test.py, in ``<work dir>/trial_<t>``. A trial that
has a report already is not run again, so the command can be repeated after an interruption;
``--test-only`` evaluates the checkpoints that are there. Further arguments go to train.py.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

TOOLS = Path(__file__).parent
REPORT = 'regdb_report.json'
FIGURES = {'R1': 0, 'R5': 4, 'R10': 9, 'R20': 19}


def run(script: str, *arguments: str) -> None:
    """Run one of the tools, and stop with it if it fails."""
    print(f'$ python tools/{script} {" ".join(arguments)}', flush=True)
    finished = subprocess.run([sys.executable, str(TOOLS / script), *arguments], check=False)
    if finished.returncode:
        raise SystemExit(finished.returncode)


def run_trial(args: argparse.Namespace, trial: int, folder: Path, extra: list[str]) -> None:
    """Train (unless told otherwise) and test one split."""
    options = [f'{part}_dataloader.dataset.trial={trial}' for part in ('train', 'test')]
    options = ['--cfg-options', *options, *args.cfg_options]
    if not args.test_only:
        run('train.py', args.config, '--work-dir', str(folder), '--resume', *extra, *options)
    pointer = folder / 'last_checkpoint'
    if not pointer.is_file():
        raise SystemExit(
            f'regdb_trials: {folder} has no checkpoint of trial {trial}, expected one.'
        )
    checkpoint = folder / Path(pointer.read_text().strip()).name
    run('test.py', args.config, str(checkpoint), '--work-dir', str(folder), *options)


def figures(report: dict) -> dict[str, np.ndarray]:
    """R1, R5, R10, R20, mAP and mINP of every setting, in percent."""
    return {
        name: 100
        * np.array([*(result['cmc'][i] for i in FIGURES.values()), result['mAP'], result['mINP']])
        for name, result in report['results'].items()
    }


def average(reports: list[dict]) -> str:
    """Mean and standard deviation over the trials' reports, as a text table."""
    trials = [figures(report) for report in reports]
    names = [*FIGURES, 'mAP', 'mINP']
    lines = [f'{"setting":28}' + ''.join(f'{name:>15}' for name in names) + f'{"trials":>8}']
    for setting in trials[0]:
        values = np.stack([trial[setting] for trial in trials])
        cells = [f'{m:.2f} ± {s:.2f}' for m, s in zip(values.mean(0), values.std(0))]
        lines.append(f'{setting:28}' + ''.join(f'{c:>15}' for c in cells) + f'{len(trials):>8}')
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config')
    parser.add_argument('--trials', type=int, nargs='+', default=range(1, 11), metavar='T')
    parser.add_argument('--work-dir', help='(work_dirs/<config>)')
    parser.add_argument('--test-only', action='store_true', help='use the checkpoints there are')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE')
    args, extra = parser.parse_known_args(argv)
    root = Path(args.work_dir or Path('work_dirs', Path(args.config).stem))
    folders = {trial: root / f'trial_{trial}' for trial in args.trials}
    for trial, folder in folders.items():
        if not (folder / REPORT).is_file():
            run_trial(args, trial, folder, extra)
    reports = [json.loads((folder / REPORT).read_text()) for folder in folders.values()]
    print(f'\n{average(reports)}')


if __name__ == '__main__':
    main()
