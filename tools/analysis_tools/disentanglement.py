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
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.data import DataLoader

from mmvireid.apis import init_model
from mmvireid.engine.runner import clear_errors
from mmvireid.engine.runner.setup import fit_loaders
from mmvireid.evaluation import (
    FeatureSet,
    Report,
    align_rows,
    chance_level,
    evaluate,
    format_table,
    write_trials,
)
from mmvireid.evaluation.functional import (
    DistanceHistograms,
    cross_modality_histograms,
    nearest_neighbors,
)
from mmvireid.models.base import BaseReID
from mmvireid.registry import METRICS

#: Fields of a FeatureSet by the field of a sample that they come from.
COLUMNS = dict(person_ids='person_id', camera_ids='camera_id', modalities='modality', names='name')

#: From normalised images per modality to features (N, D) by name.
Encoder = Callable[[dict[str, Tensor]], dict[str, Tensor]]


@torch.no_grad()
def extract(
    loader: DataLoader,
    preprocessor: Callable[[dict], dict],
    encode: Encoder,
) -> dict[str, FeatureSet]:
    """Encode every image of a loader once.

    Args:
        loader: Gives collated batches.
        preprocessor: The model's data preprocessor.
        encode: Gives one feature per image and name.

    Returns:
        A feature set per name, on the CPU.
    """
    parts, samples = defaultdict(list), []
    progress = Console(stderr=True)
    for batch in track(loader, 'extracting', console=progress, transient=True):
        batch = preprocessor(batch)
        for name, features in encode(batch['inputs']).items():
            parts[name].append(features.float().cpu())
        samples += batch['data_samples']
    columns = {
        column: np.array([getattr(sample, key) for sample in samples])
        for column, key in COLUMNS.items()
    }
    return {
        name: FeatureSet(features=torch.cat(features).numpy(), **columns)
        for name, features in parts.items()
    }


def encode_test_images(model: BaseReID, encode: Encoder) -> dict[str, FeatureSet]:
    """What :func:`extract` makes of the test images of a model's config."""
    fit_loaders(model.cfg)
    loader = Runner.build_dataloader(model.cfg.test_dataloader, seed=0)
    return extract(loader, model.data_preprocessor, encode)


def join(codes: dict[str, FeatureSet]) -> FeatureSet:
    """All codes one after the other, each L2-normalised."""
    parts = [normalize(torch.from_numpy(code.features)) for code in codes.values()]
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


def mean_distances(histograms: dict[str, DistanceHistograms]) -> list[list[str]]:
    """Mean cross-modality distances: rows of a table."""
    rows = [['mean distance', 'same identity', 'different', 'delta']]
    for name, found in histograms.items():
        means = found.same_mean, found.different_mean, found.delta
        rows.append([name, *(f'{value:.4f}' for value in means)])
    return rows


def draw_distances(histograms: dict[str, DistanceHistograms], path: Path) -> None:
    """Draw densities of the distances side by side, with their means and delta."""
    figure = Figure(figsize=(5 * len(histograms), 4), layout='constrained')
    panels = figure.subplots(1, len(histograms), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, found) in zip(panels, histograms.items()):
        for kind, counts, mean, color in (
            ('same identity', found.same, found.same_mean, '#0072b2'),
            ('different identities', found.different, found.different_mean, '#d55e00'),
        ):
            density = counts / counts.sum() / np.diff(found.edges)
            label = f'{kind}, mean {mean:.3f}'
            axes.stairs(density, found.edges, fill=True, alpha=0.5, color=color, label=label)
            axes.axvline(mean, color=color, linestyle='--')
        axes.set_title(f'{name}: delta = {found.delta:.3f}')
        axes.legend()
    figure.supxlabel('Euclidean distance of L2-normalised features, visible to infrared')
    figure.supylabel('density')
    figure.savefig(path, dpi=150)


def choose_rows(feature_set: FeatureSet, num_ids: int, max_points: int, seed: int) -> np.ndarray:
    """Draw identities, and of their images as many as may be drawn; ascending row numbers."""
    rng = np.random.default_rng(seed)
    ids = np.unique(feature_set.person_ids)
    ids = rng.choice(ids, min(num_ids, len(ids)), replace=False)
    rows = np.flatnonzero(np.isin(feature_set.person_ids, ids))
    return np.sort(rng.choice(rows, min(max_points, len(rows)), replace=False))


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
        points = embed(normalize(torch.from_numpy(code.features[rows])).numpy())
        draw_points(line[0], points, code.person_ids[rows], 'turbo')
        draw_points(line[1], points, code.modalities[rows], 'viridis')
        line[0].set_title(f'{name} code by identity')
        line[1].set_title(f'{name} code by modality')
    figure.savefig(path, dpi=150)


def tsne(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """scikit-learn's t-SNE, (N, D) -> (N, 2).

    Raises:
        SystemExit: If scikit-learn is missing.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise SystemExit(
            "disentanglement: t-SNE needs scikit-learn, which comes with the extra 'analysis': "
            "pip install -e '.[analysis]', or pip install scikit-learn."
        ) from error

    def embed(features: np.ndarray) -> np.ndarray:
        perplexity = min(30, (len(features) - 1) / 3)
        return TSNE(perplexity=perplexity, random_state=seed).fit_transform(features)

    return embed


def check_same_images(baseline: FeatureSet, code: FeatureSet) -> None:
    """Stop if the baseline's config tests on other images."""
    if set(baseline.names) != set(code.names):
        raise SystemExit(
            'disentanglement: the config of --baseline tests on other images, expected the same '
            'data set and split as CONFIG.'
        )


def run(args: argparse.Namespace) -> None:
    embed = tsne(args.seed)  # first, so that a missing package costs no time
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model = init_model(args.config, args.checkpoint, device)
    if not hasattr(model, 'extract_codes'):
        raise SystemExit(
            f'disentanglement: `config` is {args.config!r} of a {type(model).__name__}, expected a '
            'model with two codes (`extract_codes`), such as DGVAE. Others can be the --baseline.'
        )
    compared = codes = encode_test_images(model, model.extract_codes)
    if args.baseline:
        other = init_model(*args.baseline, device)
        compared = encode_test_images(other, lambda x: dict(baseline=other.extract(x))) | codes
        check_same_images(compared['baseline'], codes['identity'])
    report = compare_retrieval(codes, model.cfg.test_evaluator)
    histograms = {name: cross_modality_histograms(code) for name, code in compared.items()}
    rows = choose_rows(codes['identity'], args.num_ids, args.max_points, args.seed)
    out_dir = Path(args.out_dir)
    write_trials(report, out_dir / 'retrieval.csv')
    draw_distances(histograms, out_dir / 'distances.png')
    draw_codes(codes, rows, embed, out_dir / 'codes_tsne.png')
    tables = format_table(report), align_rows(mean_distances(histograms))
    print(*tables, align_rows(readable_labels(compared)), sep='\n\n')
    print(f'\nretrieval.csv, distances.png and codes_tsne.png are in {out_dir}.')


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('checkpoint', help='checkpoint file, read without running code in it')
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
    for config in [args.config, *(args.baseline or [])[:1]]:
        if not Path(config).is_file():
            parser.error(f'`config` is {config!r}, no such file.')
    if args.num_ids < 1 or args.max_points < 4:
        parser.error('expected --num-ids of at least 1 and --max-points of at least 4.')
    try:
        Path(args.out_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f'`--out-dir` is {args.out_dir!r}, which cannot be made ({error.strerror}).')
    with clear_errors('disentanglement'):
        run(args)


if __name__ == '__main__':
    main()
