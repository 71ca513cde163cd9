"""Show what a model with two codes has separated.

``python tools/analysis_tools/disentanglement.py CONFIG CHECKPOINT --baseline CONFIG CHECKPOINT
--out-dir DIR``

Both codes of every test image come from one pass, the means of what the encoders predict. Printed:

- retrieval by the config's protocol, with the identity code, the ambiguous code, both (one after
  the other, each L2-normalised) and random features;
- mean distances of cross-modality pairs of one identity and of two, and their difference delta;
- how often the nearest other image (cosine) has the same identity or modality. It is mostly of the
  same modality, so this tells what a code holds, and retrieval what it holds in both.

Written: ``retrieval.csv`` (figures of every trial), ``distances.png`` (histograms of those
distances, as in Fig. 5b of the DG-VAE paper, which does not say whether its features are
normalised) and ``codes_tsne.png`` (both codes of a few identities).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmengine.device import get_device

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    check_methods,
    check_same_images,
    encode_test_images,
    extract_test_features,
    init_model,
    make_folder,
    model_parser,
)
from mmvireid.distances import unit_rows
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import (
    FeatureSet,
    Report,
    align_rows,
    chance_level,
    evaluate,
    format_table,
    write_trials,
)
from mmvireid.evaluation.functional import cross_modality_histograms, nearest_neighbors
from mmvireid.registry import METRICS
from mmvireid.screen import steady_screen
from mmvireid.storage import new_file
from mmvireid.visualization import choose_rows, draw_distances, mean_distances, tsne


def join(codes: dict[str, FeatureSet]) -> FeatureSet:
    """All codes one after the other, each L2-normalised."""
    parts = [unit_rows(torch.from_numpy(code.features)) for code in codes.values()]
    return replace(next(iter(codes.values())), features=torch.cat(parts, dim=1).numpy())


def compare_retrieval(codes: dict[str, FeatureSet], evaluator: dict) -> Report:
    """Evaluate codes, both together and random features, by an evaluator's protocol.

    Returns:
        Results by names such as ``'sysu-identity/all-1shot'``, the codes of a setting together.
    """
    metric = METRICS.build(evaluator)
    settings = metric.protocol.settings(next(iter(codes.values())))
    reports = {
        name: evaluate(feature_set, settings, metric.distance)
        for name, feature_set in (codes | dict(both=join(codes))).items()
    }
    reports['chance'] = chance_level(next(iter(codes.values())), settings)
    return {
        setting.name.replace('/', f'-{name}/'): report[setting.name]
        for setting in settings
        for name, report in reports.items()
    }


def chance_of_equal(labels: np.ndarray) -> float:
    """Probability that another row, drawn at random, has the same label."""
    counts = np.unique(labels, return_counts=True)[1]
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))


def readable_labels(codes: dict[str, FeatureSet]) -> list[list[str]]:
    """How often the nearest other image has the same identity and modality: rows of a table."""
    rows = [['same as nearest, %', 'identity', 'modality']]
    for name, code in codes.items():
        nearest, labels = nearest_neighbors(code.features), (code.person_ids, code.modalities)
        rows.append([name, *(f'{100 * (kind[nearest] == kind).mean():.2f}' for kind in labels)])
    return [*rows, ['chance', *(f'{100 * chance_of_equal(kind):.2f}' for kind in labels)]]


def draw_points(axes: Axes, points: np.ndarray, labels: np.ndarray, colors: str) -> None:
    """Draw points (N, 2), a colour of the colour map per label."""
    kinds, values = np.unique(labels, return_inverse=True)
    scatter = axes.scatter(*points.T, c=values, cmap=colors, s=8, vmin=0, vmax=len(kinds))
    axes.set(xticks=[], yticks=[])
    if len(kinds) <= 2:
        axes.legend(scatter.legend_elements(num=None)[0], kinds)


def draw_codes(codes: dict[str, FeatureSet], rows: np.ndarray, embed: Callable, path: Path) -> None:
    """Draw codes in two dimensions: a line per code, coloured by identity and by modality."""
    figure = Figure(figsize=(10, 10), layout='constrained')
    panels = figure.subplots(len(codes), 2)
    for line, (name, code) in zip(panels, codes.items()):
        points = embed(code.features[rows])
        draw_points(line[0], points, code.person_ids[rows], 'turbo')
        draw_points(line[1], points, code.modalities[rows], 'viridis')
        line[0].set_title(f'{name} code by identity')
        line[1].set_title(f'{name} code by modality')
    with new_file(path) as draft:
        figure.savefig(draft, dpi=150)


def run(args: argparse.Namespace) -> None:
    embed = tsne(args.seed)  # first, so that a missing package costs no time
    out_dir = make_folder(args.out_dir)
    model = init_model(args.config, args.checkpoint, get_device(), args.cfg_options)
    what = 'with two codes, such as DGVAE; others can be the --baseline'
    check_methods(model, args.config, ['extract_codes'], what)
    other = args.baseline and init_model(*args.baseline, get_device(), args.cfg_options)
    compared = codes = encode_test_images(model, model.extract_codes)
    if other:
        baseline = extract_test_features(other)
        check_same_images(codes['identity'], baseline, 'the config of --baseline')
        compared = dict(baseline=baseline) | codes
    report = compare_retrieval(codes, model.cfg.test_evaluator)
    histograms = {name: cross_modality_histograms(code) for name, code in compared.items()}
    rows = choose_rows(codes['identity'], args.num_ids, args.max_points, args.seed)
    write_trials(report, out_dir / 'retrieval.csv')
    draw_distances(histograms, out_dir / 'distances.png')
    draw_codes(codes, rows, embed, out_dir / 'codes_tsne.png')
    tables = format_table(report), align_rows(mean_distances(histograms))
    print(*tables, align_rows(readable_labels(compared)), sep='\n\n')
    print(f'\nretrieval.csv, distances.png and codes_tsne.png are in {out_dir}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument(
        '--baseline',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='any model, whose retrieval features stand beside the codes',
    )
    parser.add_argument('--out-dir', default='disentanglement', help='where the files go')
    parser.add_argument('--seed', type=int, default=0, help='seed of t-SNE and of its images')
    parser.add_argument('--max-points', type=int, default=1000, help='images in t-SNE')
    parser.add_argument('--num-ids', type=int, default=12, help='identities in t-SNE')
    args = parser.parse_args(argv)
    if args.num_ids < 1 or args.max_points < 4:
        parser.error('expected --num-ids of at least 1 and --max-points of at least 4.')
    with clear_errors('disentanglement'):
        run(args)


if __name__ == '__main__':
    main()
