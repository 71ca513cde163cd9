"""Show how well a model aligns the modalities, in figures and in a picture.

``python tools/analysis_tools/modality_alignment.py CONFIG CHECKPOINT --other CONFIG CHECKPOINT
--out-dir DIR``

Features of all test images (training images with ``--split train``) come from one pass per model,
loaded as in a test. Printed, for every model and direction
from query to gallery, within a modality and across (Table 1 of the AlignGAN paper):

- Rank-1 and mAP in percent, cosine similarity. No protocol defines retrieval within a modality, so
  all four directions follow one plain rule: every image of the first modality is a query, and all
  other images of the second are its gallery. Images of the query's person from the query's camera
  are left out; where the gallery comes from one camera (RegDB), only the query itself is. Nothing
  is drawn and SYSU-MM01's room rule is not applied: these are not the figures of a benchmark.
- mean cosine similarity of two different images of the same person (ICCS in the paper), one of each
  modality of the direction, and of two persons. Every pair counts once, whatever its cameras, so
  that people with many images weigh more; the paper does not say what it averages.

Written: ``modality_alignment.csv`` (the printed table) and ``features_tsne.png``: the features of a
few people in two dimensions, one panel per model, colour by modality, shape by identity (Fig. 6).
"""

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    add_split_argument,
    build_models,
    check_same_images,
    extract_test_features,
    load_split,
    make_folder,
    model_parser,
)
from mmvireid.commands import steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import (
    FeatureSet,
    Report,
    RetrievalSetting,
    align_rows,
    chance_level,
    evaluate,
)
from mmvireid.evaluation.functional import mean_similarity
from mmvireid.evaluation.protocols.gallery_sampling import sorted_rows
from mmvireid.evaluation.protocols.llcm import same_person_and_camera
from mmvireid.storage import new_file
from mmvireid.structures import MODALITIES
from mmvireid.visualization import choose_rows, tsne, write_figure

#: Query and gallery of every direction, within a modality first.
DIRECTIONS = sorted(product(MODALITIES, repeat=2), key=lambda pair: pair[0] != pair[1])
HEAD = ['model', 'query to gallery', 'R1', 'mAP', 'same person', 'different']
COLORS = dict(zip(MODALITIES, ('#d55e00', '#0072b2')))
#: A shape per identity.
SHAPES = 'os^DvP*X<>ph'


def left_out(feature_set: FeatureSet, queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Pairs that are not ranked, bool, shape (Nq, Nc): see the top of this file."""
    if len(np.unique(feature_set.camera_ids[candidates])) == 1:
        return queries[:, None] == candidates
    return same_person_and_camera(feature_set, queries, candidates)


def retrieval_settings(feature_set: FeatureSet) -> list[RetrievalSetting]:
    """One setting per direction, named such as ``'visible to infrared'``."""
    rows = {key: sorted_rows(feature_set, feature_set.modalities == key) for key in MODALITIES}
    return [
        RetrievalSetting(
            name=f'{query} to {gallery}',
            queries=(rows[query],),
            galleries=(rows[gallery],),
            candidates=rows[gallery],
            rank_by='image',
            excluded=left_out,
        )
        for query, gallery in DIRECTIONS
    ]


def retrieval_cells(report: Report) -> list[list[str]]:
    """Direction, Rank-1 and mAP: one row per direction."""
    return [
        [name, *(f'{result.scores[key].item():.2f}' for key in ('R1', 'mAP'))]
        for name, result in report.items()
    ]


def compare_modalities(found: dict[str, FeatureSet]) -> list[list[str]]:
    """Retrieval and mean similarities of every model and direction: rows of a table."""
    table = [HEAD]
    for name, feature_set in found.items():
        retrieval = retrieval_cells(evaluate(feature_set, retrieval_settings(feature_set)))
        for cells, direction in zip(retrieval, DIRECTIONS):
            similarity = mean_similarity(feature_set, *direction)
            values = similarity.same, similarity.different
            table.append([name, *cells, *(f'{value:.3f}' for value in values)])
    first = next(iter(found.values()))
    chance = chance_level(first, retrieval_settings(first))
    return table + [['chance', *cells, '', ''] for cells in retrieval_cells(chance)]


def draw_points(axes: Axes, points: np.ndarray, feature_set: FeatureSet, rows: np.ndarray) -> None:
    """Draw points (N, 2), colour by modality and shape by identity."""
    ids, modalities = feature_set.person_ids[rows], feature_set.modalities[rows]
    for shape, person_id in zip(SHAPES, np.unique(ids)):
        mine = ids == person_id
        colors = [COLORS[modality] for modality in modalities[mine]]
        axes.scatter(*points[mine].T, c=colors, marker=shape, s=28, alpha=0.7, linewidths=0)
    axes.set(xticks=[], yticks=[])


def legend_handles(ids: np.ndarray) -> list[Patch | Line2D]:
    """What colours and shapes stand for."""
    colors = [Patch(color=color, label=key) for key, color in COLORS.items()]
    shapes = [
        Line2D([], [], linestyle='', color='grey', marker=shape, label=f'id {person_id}')
        for shape, person_id in zip(SHAPES, ids)
    ]
    return colors + shapes


def draw_features(
    found: dict[str, FeatureSet], names: np.ndarray, embed: Callable, path: Path
) -> None:
    """Draw the features of some images in two dimensions, a panel per model.

    Args:
        found: Features by model.
        names: Names of the images.
        embed: From (N, D) to (N, 2).
        path: Picture to write.
    """
    figure = Figure(figsize=(5 * len(found), 5.6), layout='constrained')
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (name, feature_set) in zip(panels, found.items()):
        rows = np.flatnonzero(np.isin(feature_set.names, names))
        draw_points(axes, embed(feature_set.features[rows]), feature_set, rows)
        axes.set_title(name, fontsize=10)
    handles = legend_handles(np.unique(feature_set.person_ids[rows]))
    figure.legend(handles=handles, loc='outside lower center', ncols=5 * len(found), fontsize=8)
    write_figure(figure, path)


def run(args: argparse.Namespace) -> None:
    embed = tsne(args.seed)  # first, so that a missing package costs no time
    out_dir = make_folder(args.out_dir)
    found = {}
    for name, model in build_models(args).items():
        found[name] = extract_test_features(model, load_split(model.cfg, args.split))
        check_same_images(next(iter(found.values())), found[name], name)
    first = next(iter(found.values()))
    names = first.names[choose_rows(first, args.num_ids, args.max_points, args.seed)]
    draw_features(found, names, embed, out_dir / 'features_tsne.png')
    table = compare_modalities(found)
    path = out_dir / 'modality_alignment.csv'
    with new_file(path) as draft, draft.open('w', encoding='utf-8', newline='') as file:
        csv.writer(file).writerows(table)
    print(align_rows(table))
    print(
        '\nR1 and mAP in percent; mean cosine similarity of images of the same person and of two.'
    )
    print(f'modality_alignment.csv and features_tsne.png are in {out_dir}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__, others='compared on the same images')
    parser.add_argument('--out-dir', default='modality_alignment', help='where the files go')
    parser.add_argument('--seed', type=int, default=0, help='seed of t-SNE and of its images')
    parser.add_argument('--num-ids', type=int, default=6, help='identities in t-SNE')
    parser.add_argument('--max-points', type=int, default=300, help='images in t-SNE')
    add_split_argument(parser)
    args = parser.parse_args(argv)
    if not 1 <= args.num_ids <= len(SHAPES) or args.max_points < 4:
        parser.error(
            f'expected --num-ids of 1 to {len(SHAPES)}, the number of shapes, and --max-points of '
            'at least 4.'
        )
    with clear_errors('modality_alignment'):
        run(args)


if __name__ == '__main__':
    main()
