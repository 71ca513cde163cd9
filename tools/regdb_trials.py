"""Train and test RegDB's ten splits, and average them.

``python tools/regdb_trials.py configs/agw/agw_regdb.py [--test-only] [--amp ...]``

Every trial is one run of train.py and one of test.py, in ``<work dir>/trial_<t>``. A trial that
has a report already is not run again, so the command can be repeated after an interruption;
``--test-only`` evaluates the checkpoints that are there. Further arguments go to train.py.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors, resume_from, run_tool
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import Report, SettingResult, format_table
from mmvireid.storage import read_text

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


def read_report(folder: Path, trial: int) -> dict:
    """What test.py has written into a trial's folder.

    Raises:
        ValueError: If that is the report of another trial.
    """
    report = json.loads(read_text(folder / REPORT))
    found = report.get('provenance', {}).get('trial', trial)
    if found != trial:
        raise InvalidValueError(
            f'regdb_trials: {folder / REPORT} is of trial {found}, expected {trial}. Move it away.'
        )
    return report


def join(reports: list[dict]) -> Report:
    """One report with the splits as its trials."""
    joined = {}
    for setting in reports[0]['results']:
        trials = [trial for r in reports for trial in r['results'][setting]['per_trial']]
        joined[setting] = SettingResult(
            **{
                key: np.array([trial[key] for trial in trials])
                for key in trials[0]
                if all(key in trial for trial in trials)  # older reports have fewer
            }
        )
    return joined


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('config')
    parser.add_argument('--trials', type=int, nargs='+', default=range(1, 11), metavar='T')
    parser.add_argument('--work-dir', help='(work_dirs/<config>)')
    parser.add_argument('--test-only', action='store_true', help='use the checkpoints there are')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE')
    args, extra = parser.parse_known_args(argv)
    root = Path(args.work_dir or Path('work_dirs', Path(args.config).stem))
    folders = {trial: root / f'trial_{trial}' for trial in args.trials}
    with clear_errors('regdb_trials'):
        there = {trial: f for trial, f in folders.items() if (f / REPORT).is_file()}
        reports = {trial: read_report(folder, trial) for trial, folder in there.items()}
        for trial in [trial for trial in folders if trial not in there]:
            run_trial(args, trial, folders[trial], extra)
            reports[trial] = read_report(folders[trial], trial)
    print(f'\n{format_table(join([reports[trial] for trial in folders]))}')


if __name__ == '__main__':
    main()
