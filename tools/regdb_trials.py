"""Train and test RegDB's ten splits, and average them.

``python tools/regdb_trials.py configs/agw/agw_regdb.py [--test-only] [--amp ...]``

Every trial is one run of train.py and one of test.py, in ``<work dir>/trial_<t>``. A trial that
has a report already is not run again, so the command can be repeated after an interruption;
``--test-only`` evaluates the checkpoints that are there. Further arguments go to train.py.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from mmvireid.engine.runner import resume_from, run_tool
from mmvireid.evaluation import Report, SettingResult, format_table
from mmvireid.utils import steady_screen

TOOLS = Path(__file__).parent
REPORT = 'regdb_report.json'


def run_trial(args: argparse.Namespace, trial: int, folder: Path, extra: list[str]) -> None:
    """Train (unless told otherwise) and test one split."""
    options = [f'{part}_dataloader.dataset.trial={trial}' for part in ('train', 'test')]
    options = ['--cfg-options', *options, *args.cfg_options]
    if not args.test_only:
        run_tool(TOOLS / 'train.py', args.config, '--work-dir', str(folder), '--resume', *extra,
                 *options)  # fmt: skip
    checkpoint = resume_from('auto', str(folder))
    if checkpoint is None:
        raise SystemExit(
            f'regdb_trials: {folder} has no checkpoint of trial {trial}, expected one.'
        )
    run_tool(TOOLS / 'test.py', args.config, checkpoint, '--work-dir', str(folder), *options)


def join(reports: list[dict]) -> Report:
    """One report with the splits as its trials."""
    joined = {}
    for setting in reports[0]['results']:
        trials = [trial for r in reports for trial in r['results'][setting]['per_trial']]
        joined[setting] = SettingResult(
            **{key: np.array([trial[key] for trial in trials]) for key in trials[0]}
        )
    return joined


@steady_screen()
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
    print(f'\n{format_table(join(reports))}')


if __name__ == '__main__':
    main()
