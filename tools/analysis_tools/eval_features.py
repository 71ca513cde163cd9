"""Evaluate features that came from anywhere by a data set's protocol.

Example:
    python tools/analysis_tools/eval_features.py features.npz --protocol sysu --out result.json
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import add_protocol_arguments, open_features, protocol_of
from mmvireid.commands import CommandParser, add_rerank_argument, steady_screen
from mmvireid.errors import InvalidValueError, Refusal
from mmvireid.evaluation import chance_level, evaluate, format_table, fuse_flip
from mmvireid.evaluation.feature_set import describe_source
from mmvireid.evaluation.functional import DISTANCES, FLIP_SUMS, RERANKINGS
from mmvireid.evaluation.report import FIGURES, check_figures
from mmvireid.storage import check_output, new_file

# Options that only some protocols have, by the name of the protocol's argument.
PROTOCOL_OPTIONS = {
    'modes': '--mode',
    'shots': '--shots',
    'gallery': '--gallery',
    'rand_perm_file': '--rand-perm',
    'directions': '--direction',
    'num_trials': '--trials',
}


def build_parser() -> CommandParser:
    parser = CommandParser(
        description='Evaluate the features in an .npz file by the protocol of SYSU-MM01, RegDB, '
        'LLCM or a table of your own, and print R1, R5, R10, R20, mAP and mINP with the chance '
        'level.',
        epilog='The file holds features (N, D) float32, person_ids (N,), camera_ids (N,), '
        "modalities (N,) of 'visible' or 'infrared', and names (N,): relative paths, whose sorted "
        'order is the file-name order of the protocols. flip_features (N, D) is optional.',
    )
    parser.add_argument('features', type=Path, metavar='FEATURES.npz')
    add_protocol_arguments(parser)
    parser.add_argument(
        '--scores', nargs='+', default=FIGURES, help='figures to print: R<k>, mAP, mINP'
    )
    parser.add_argument(
        '--mode', dest='modes', choices=['all', 'indoor', 'both'], help='sysu (default: both)'
    )
    parser.add_argument(
        '--shots', type=int, nargs='+', help='sysu: images per identity and camera (default: 1 10)'
    )
    parser.add_argument('--gallery', choices=['seeded', 'official'], help='sysu (default: seeded)')
    parser.add_argument(
        '--rand-perm', dest='rand_perm_file', metavar='FILE', help='sysu: rand_perm_cam.mat'
    )
    parser.add_argument(
        '--direction',
        dest='directions',
        nargs='+',
        help='regdb, llcm: visible-to-infrared, infrared-to-visible (query to gallery; default: '
        'both); llcm also visible-to-infrared-legacy',
    )
    parser.add_argument(
        '--trials', dest='num_trials', type=int, help='sysu, llcm: gallery draws (default: 10)'
    )
    parser.add_argument('--distance', choices=DISTANCES, default=DISTANCES[0])
    parser.add_argument('--flip', action='store_true', help='add the features of mirrored images')
    parser.add_argument(
        '--flip-sum',
        choices=FLIP_SUMS,
        default=FLIP_SUMS[0],
        help='with --flip: add features of length one (default), or as they are',
    )
    add_rerank_argument(parser, 're-rank')
    parser.add_argument('--max-rank', type=int, default=20, help='length of the CMC (default: 20)')
    parser.add_argument('--out', type=Path, help='write the results here, as JSON fractions')
    return parser


def protocol_options(args: argparse.Namespace) -> dict:
    """The given options that belong to the protocol; refuses those that do not."""
    known = {field.name for field in fields(protocol_of(args))}
    given = {key: getattr(args, key) for key in PROTOCOL_OPTIONS if getattr(args, key) is not None}
    for key in given.keys() - known:
        raise InvalidValueError(
            f'{PROTOCOL_OPTIONS[key]} does not apply to --protocol {args.protocol}.'
        )
    if 'modes' in given:
        given['modes'] = ['all', 'indoor'] if args.modes == 'both' else [args.modes]
    unknown = sorted(set(args.protocol_options) - known)
    if unknown:
        raise InvalidValueError(
            f'eval_features: --protocol-options has {unknown}, expected some of {sorted(known)}.'
        )
    return given | args.protocol_options


def run(args: argparse.Namespace) -> None:
    protocol = protocol_of(args)(**protocol_options(args))
    max_rank = max(args.max_rank, check_figures('eval_features', args.scores))
    if args.out:
        check_output(args.out)
    feature_set, source = open_features(args.features, protocol)
    if args.flip:
        feature_set = fuse_flip(feature_set, args.flip_sum)
    settings = protocol.settings(feature_set)
    report = evaluate(feature_set, settings, args.distance, args.rerank, max_rank)
    # Raw, fused and re-ranked results never share a name.
    variant = '-flip' * args.flip + RERANKINGS.get(args.rerank, '')
    chance = chance_level(feature_set, settings, max_rank)
    report, chance = (
        {name.replace('/', f'{variant}/'): result for name, result in results.items()}
        for results in (report, chance)
    )
    if args.out:
        results = {name: result.to_dict() for name, result in report.items()}
        with new_file(args.out) as draft:
            draft.write_text(json.dumps(results, indent=2) + '\n', 'utf-8')
    print(format_table(report, chance, args.scores))
    if described := describe_source(source):
        print(f'Test data: {described}.')
    if args.out:
        print(f'Written to {args.out}')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        run(args)
    except (Refusal, OSError) as error:
        parser.refuse(error)


if __name__ == '__main__':
    main()
