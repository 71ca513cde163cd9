"""Draw queries with their ten best matches, right and wrong marked.

``python tools/visualization/ranked_lists.py FEATURES.npz --protocol sysu --data-root DIR
--out ranked.png``
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    add_out_argument,
    add_protocol_arguments,
    best_matches,
    open_features,
    protocol_of,
    write_picture,
)
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import FeatureSet, RetrievalSetting
from mmvireid.pictures import read_image
from mmvireid.storage import check_output
from mmvireid.visualization import RankedList, draw_ranked_lists


def ranked_list(features: FeatureSet, query: int, matches: np.ndarray, root: Path) -> RankedList:
    """Read the images of a query and its matches."""

    def image(row: int) -> np.ndarray:
        return read_image(str(root / features.names[row]))

    def caption(row: int) -> str:
        return f'id {features.person_ids[row]} cam {features.camera_ids[row]}'

    return RankedList(
        query=image(query),
        matches=[image(row) for row in matches],
        right=(features.person_ids[matches] == features.person_ids[query]).tolist(),
        query_caption=caption(query),
        match_captions=[caption(row) for row in matches],
    )


def choose_queries(
    features: FeatureSet, setting: RetrievalSetting, count: int, seed: int
) -> np.ndarray:
    """Queries of ``count`` different identities that have a match in the gallery."""
    queries, gallery = setting.queries[0], setting.galleries[0]
    ids = np.intersect1d(features.person_ids[queries], features.person_ids[gallery])
    rng = np.random.default_rng(seed)
    chosen = rng.choice(ids, min(count, len(ids)), replace=False)
    return np.array([rng.choice(queries[features.person_ids[queries] == i]) for i in chosen])


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('features', metavar='FEATURES.npz', help='from test.py --save-features')
    add_protocol_arguments(parser)
    parser.add_argument('--data-root', required=True, help='folder that the names start from')
    add_out_argument(parser, 'ranked_lists.png')
    parser.add_argument('--queries', type=int, default=8, help='number of queries')
    parser.add_argument('--matches', type=int, default=10, help='matches per query')
    parser.add_argument('--seed', type=int, default=0, help='seed of the choice of queries')
    args = parser.parse_args(argv)
    with clear_errors('ranked_lists'):
        check_output(args.out)
        protocol = protocol_of(args)(**args.protocol_options)
        features, _ = open_features(args.features, protocol)
        setting = protocol.settings(features)[0]
        lists = [
            ranked_list(
                features,
                query,
                best_matches(features, setting, query, args.matches),
                Path(args.data_root),
            )
            for query in choose_queries(features, setting, args.queries, args.seed)
        ]
        title = f'{setting.name}, first trial: query at the left, best matches from left to right'
        write_picture(args.out, draw_ranked_lists(lists, title))
    print(
        f'{sum(sum(ranked.right[:1]) for ranked in lists)} of {len(lists)} first matches right, '
        f'picture in {args.out}'
    )


if __name__ == '__main__':
    main()
