"""Say whether methods differ, by the results of single queries on the same galleries.

``python tools/analysis_tools/compare_results.py BASELINE OTHER [OTHER ...]``

A result is a file: the ``<protocol>_queries.npz`` that ``test.py`` writes, or features from
anywhere (``.npz``, as ``eval_features.py`` takes them). Several trainings of one method are joined
by commas: ``seed0.npz,seed1.npz,seed2.npz``. Each OTHER is compared with BASELINE: the difference
of R1 and mAP with an interval from a bootstrap over people, and over trainings where there are
several. A difference is one only where its interval excludes 0; of many comparisons, some do by
chance.

Example:
    python tools/analysis_tools/compare_results.py base/sysu_queries.npz mine.npz --protocol sysu
"""

import argparse
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.evaluation import FeatureSet, align_rows, evaluate, find_protocol
from mmvireid.evaluation.comparison import check_alike, check_sources, compare, in_points
from mmvireid.evaluation.functional import DISTANCES
from mmvireid.evaluation.query_results import IdentityScores, load_queries


class Result:
    """One training of a method.

    Args:
        path: Its file.
        args: The command line.
    """

    def __init__(self, path: str, args: argparse.Namespace) -> None:
        self.path = path
        if is_features(path):
            self.source = FeatureSet.load_source(path)
            name = args.protocol or self.source.get('protocol')
            if name is None:
                raise InvalidValueError(
                    f'compare_results: {path} does not say of which protocol it is, expected '
                    '--protocol NAME.'
                )
            protocol = find_protocol(name)()
            protocol.check_data(self.source)
            features = FeatureSet.load(path)
            report = evaluate(features, protocol.settings(features), args.distance)
            queries = {setting: result.queries for setting, result in report.items()}
        else:
            queries, self.source = load_queries(path)
        self.scores = {name: result.by_identity(name) for name, result in queries.items()}

    def of(self, setting: str) -> IdentityScores:
        """Its scores in a setting.

        Raises:
            ValueError: If it has none.
        """
        if setting not in self.scores:
            raise InvalidValueError(
                f'compare_results: {self.path} has no setting {setting!r}, expected one of '
                f'{[*self.scores]}: it is of another protocol, or was tested otherwise.'
            )
        return self.scores[setting]


def is_features(path: str) -> bool:
    """Whether a file holds features.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is no ``.npz`` file.
    """
    if not Path(path).is_file():
        raise MissingFileError(f'compare_results: {path} is not a file.')
    if not zipfile.is_zipfile(path):
        raise InvalidValueError(
            f'compare_results: {path} is no .npz file, expected features, or the '
            '<protocol>_queries.npz of test.py: figures alone cannot be compared.'
        )
    with np.load(path, allow_pickle=False) as archive:
        return 'features' in archive.files


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('baseline', metavar='BASELINE', type=lambda text: text.split(','))
    parser.add_argument('others', metavar='OTHER', nargs='+', type=lambda text: text.split(','))
    parser.add_argument('--names', nargs='+', help='what they are called (their files)')
    parser.add_argument('--setting', nargs='+', help='such as sysu/all-1shot (all there are)')
    parser.add_argument('--protocol', help='of features that do not say: sysu, regdb, llcm, csv')
    parser.add_argument('--distance', choices=DISTANCES, default=DISTANCES[0], help='of features')
    parser.add_argument('--level', type=float, default=0.95, help='of the intervals (0.95)')
    args = parser.parse_args(argv)
    paths = [args.baseline, *args.others]
    args.names = args.names or [','.join(group) for group in paths]
    if len(args.names) != len(paths):
        parser.error(f'--names has {len(args.names)}, expected {len(paths)}, one for each result.')
    return args


def run(args: argparse.Namespace) -> None:
    groups = [[Result(path, args) for path in group] for group in (args.baseline, *args.others)]
    everything = [result for group in groups for result in group]
    check_sources({result.path: result.source for result in everything})
    for setting in args.setting or [*everything[0].scores]:
        scores = [[result.of(setting) for result in group] for group in groups]
        check_alike([s for group in scores for s in group], [r.path for r in everything])
        rows, sentences = [['', 'R1', 'mAP', 'R1 against the first', 'mAP against the first']], []
        for name, group in zip(args.names, scores):
            found = compare(scores[0], group, args.level)
            means = [f'{found.figures[key][1]:.2f}' for key in found.figures]
            differences = [in_points(value) for value in found.differences.values()]
            is_first = group is scores[0]
            rows.append([name, *means, *(['', ''] if is_first else differences)])
            if not is_first:
                sentences.append(found.sentence(args.names[0], name))
        print(f'\n{setting}\n{align_rows(rows)}\n' + '\n'.join(sentences))


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with clear_errors('compare_results'):
        run(args)


if __name__ == '__main__':
    main()
