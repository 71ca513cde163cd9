"""Show what the codes of a model hold, and what they have left out.

``python tools/analysis_tools/disentanglement.py CONFIG CHECKPOINT --baseline CONFIG CHECKPOINT
--out-dir DIR``

The codes are those of ``extract_codes`` (the two of DG-VAE, the four of Hi-CMD), the means of what
the encoders predict where they predict distributions; of any other model the retrieval feature. All
of every test image come from one pass. Printed:

- retrieval by the config's protocol, with every code, all of them joined (one after the other, each
  L2-normalised) and random features;
- mean distances of cross-modality pairs of one identity and of two, and their difference delta;
- what a linear probe reads from every code (logistic regression of scikit-learn on standardised
  values, the mean over the labels of how many images of a label are told right): who it is, of
  other images of the same people (identity) and of their images in the other modality alone (across
  modalities); and, of other people, the modality, the camera and, where the images are rendered and
  so their factors known, the facing (front, side or back) and the illumination (dark, medium or
  bright, a third of each modality's images each). Knowing the modality alone, a probe can guess the
  camera better than chance.

References for the probe: ``pixels``, the means of 16 x 8 fields of the image; ``pooled map``, the
means over all positions of the maps that the codes are made from, where the model has
``extract_maps`` (of AGW and AlignGAN the feature is that already, up to a scale per dimension,
which the probe does not see). Codes that are maps are read as the means of 4 x 2 fields.

Written: ``retrieval.csv`` (figures of every trial), ``probes.json``, ``distances.png`` (histograms
of those distances, as in Fig. 5b of the DG-VAE paper, which does not say whether its features are
normalised) and ``codes_tsne.png`` (all codes of a few identities).
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmengine.device import get_device
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    check_same_images,
    encode_test_images,
    extract_test_features,
    init_model,
    make_folder,
    model_parser,
    open_model,
)
from mmvireid.commands import steady_screen
from mmvireid.datasets.rendering import Factors, picture_factors, rendered_layout
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
from mmvireid.evaluation.functional import (
    cross_modality_histograms,
    folds_of_images,
    folds_of_people,
    held_out_accuracy,
    linear_probe,
)
from mmvireid.models.base import BaseReID
from mmvireid.registry import METRICS
from mmvireid.storage import new_file
from mmvireid.structures import MODALITIES, VISIBLE
from mmvireid.visualization import choose_rows, draw_distances, mean_distances, tsne, write_figure

#: Fields, down and across, that images and codes that are maps are averaged over.
PIXEL_FIELDS, CODE_FIELDS = (16, 8), (4, 2)
#: What the codes are compared with, by name.
REFERENCES = ('pooled map', 'pixels')


def encode(model: BaseReID) -> dict[str, FeatureSet]:
    """Codes of the test images and, behind them, the :data:`REFERENCES`; all as vectors."""

    def encode_batch(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if hasattr(model, 'extract_codes'):
            found = {key: as_vectors(code) for key, code in model.extract_codes(inputs).items()}
        else:
            found = dict(feature=model.extract(inputs))
        if hasattr(model, 'extract_maps'):
            found['pooled map'] = model.extract_maps(inputs).mean((2, 3))
        images = torch.cat([inputs[key] for key in MODALITIES if key in inputs])
        return found | dict(pixels=F.adaptive_avg_pool2d(images, PIXEL_FIELDS).flatten(1))

    return encode_test_images(model, encode_batch)


def as_vectors(code: Tensor) -> Tensor:
    """A code of any shape as (N, D); of a map, the means of a few fields."""
    if code.dim() == 4:
        code = F.adaptive_avg_pool2d(code, CODE_FIELDS)
    return code.flatten(1)


def join(codes: dict[str, FeatureSet]) -> FeatureSet:
    """All codes one after the other, each L2-normalised."""
    parts = [unit_rows(torch.from_numpy(code.features)) for code in codes.values()]
    return replace(next(iter(codes.values())), features=torch.cat(parts, dim=1).numpy())


def compare_retrieval(codes: dict[str, FeatureSet], evaluator: dict) -> Report:
    """Evaluate codes, all of them joined and random features, by an evaluator's protocol.

    Returns:
        Results by names such as ``'sysu-identity/all-1shot'``, the codes of a setting together.
    """
    metric = METRICS.build(evaluator)
    joined = dict(joined=join(codes)) if len(codes) > 1 else {}
    settings = metric.protocol.settings(next(iter(codes.values())))
    reports = {
        name: evaluate(feature_set, settings, metric.distance)
        for name, feature_set in (codes | joined).items()
    }
    reports['chance'] = chance_level(next(iter(codes.values())), settings)
    return {
        setting.name.replace('/', f'-{name}/'): report[setting.name]
        for setting in settings
        for name, report in reports.items()
    }


class Question(NamedTuple):
    """Something that is asked of every image, or of some.

    Args:
        rows: Which images, numbers of rows, (M,).
        labels: The answers, (M,).
        folds: Folds that are held out in turn, (M,).
    """

    rows: np.ndarray
    labels: np.ndarray
    folds: np.ndarray


def ask(code: FeatureSet, factors: Sequence[Factors] | None, seed: int) -> dict[str, Question]:
    """What is to be read from codes, by what it is called; nothing that has one answer only.

    Args:
        code: What is known about the images.
        factors: Those of every image, ``None`` where they are not known.
        seed: Seed of the folds.
    """
    rng, people = np.random.default_rng(seed), code.person_ids
    of_images, of_people = folds_of_images(people, rng), folds_of_people(people, rng)
    visible, every = code.modalities == VISIBLE, np.arange(len(code))
    both = np.flatnonzero(np.isin(people, [*{*people[visible]} & {*people[~visible]}]))
    cameras = np.char.add(code.camera_ids.astype(str), code.modalities)
    questions = {
        'identity': Question(every, people, of_images),
        'across modalities': Question(both, people[both], visible[both]),
        'modality': Question(every, code.modalities, of_people),
        'camera': Question(every, cameras, of_people),
    }
    if factors is not None:
        facing = np.array([factor.facing for factor in factors])
        brightness = np.array([factor.brightness for factor in factors])
        questions['facing'] = Question(every, facing, of_people)
        questions['illumination'] = Question(every, thirds(brightness, visible), of_people)
    return {name: q for name, q in questions.items() if len(np.unique(q.labels)) > 1}


def thirds(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Whether a value is among the lowest (0), middle or highest (2) third of its group, (N,)."""
    found = np.empty(len(values), np.int64)
    for group in np.unique(groups):
        rows = groups == group
        found[rows] = np.digitize(values[rows], np.quantile(values[rows], [1 / 3, 2 / 3]))
    return found


def known_factors(model: BaseReID, code: FeatureSet) -> list[Factors] | None:
    """Factors of every image, ``None`` if the test images of a model are not rendered."""
    layout = rendered_layout(model.cfg.test_dataloader.dataset.data_root)
    if layout is None:
        return None
    shots = {shot.path: shot for shot in layout.shots()}
    return [picture_factors(layout.seed, shots[name]) for name in code.names]


def read(
    codes: dict[str, FeatureSet], questions: dict[str, Question], probe: Callable
) -> dict[str, dict[str, float]]:
    """Balanced accuracy in percent by code, then by question; last of all that of ``chance``."""
    found = {
        name: {
            key: held_out_accuracy(probe, code.features[q.rows], q.labels, q.folds)
            for key, q in questions.items()
        }
        for name, code in codes.items()
    }
    return found | dict(chance={k: 100 / len(np.unique(q.labels)) for k, q in questions.items()})


def probe_table(found: dict[str, dict[str, float]]) -> list[list[str]]:
    """Rows of a table of what was read."""
    head = ['read by a linear probe, %', *found['chance']]
    return [head, *([name, *(f'{x:.1f}' for x in row.values())] for name, row in found.items())]


def write_probes(found: dict[str, dict[str, float]], args: argparse.Namespace, path: Path) -> None:
    """Write what was read, and of what."""
    content = dict(
        config=args.config, checkpoint=args.checkpoint, baseline=args.baseline, accuracy=found
    )
    with new_file(path) as draft:
        draft.write_text(json.dumps(content, indent=2) + '\n', 'utf-8')


def draw_points(axes: Axes, points: np.ndarray, labels: np.ndarray, colors: str) -> None:
    """Draw points (N, 2), a colour of the colour map per label."""
    kinds, values = np.unique(labels, return_inverse=True)
    scatter = axes.scatter(*points.T, c=values, cmap=colors, s=8, vmin=0, vmax=len(kinds))
    axes.set(xticks=[], yticks=[])
    if len(kinds) <= 2:
        axes.legend(scatter.legend_elements(num=None)[0], kinds)


def draw_codes(codes: dict[str, FeatureSet], rows: np.ndarray, embed: Callable, path: Path) -> None:
    """Draw codes in two dimensions: a line per code, coloured by identity and by modality."""
    figure = Figure(figsize=(10, 5 * len(codes)), layout='constrained')
    panels = figure.subplots(len(codes), 2, squeeze=False)
    for line, (name, code) in zip(panels, codes.items()):
        points = embed(code.features[rows])
        draw_points(line[0], points, code.person_ids[rows], 'turbo')
        draw_points(line[1], points, code.modalities[rows], 'viridis')
        line[0].set_title(f'{name} code by identity')
        line[1].set_title(f'{name} code by modality')
    write_figure(figure, path)


def run(args: argparse.Namespace) -> None:
    embed, probe = tsne(args.seed), linear_probe()  # first: a missing package costs no time
    out_dir = make_folder(args.out_dir)
    model = open_model(args)
    other = args.baseline and init_model(*args.baseline, get_device(), args.cfg_options)
    encoded = encode(model)
    codes = {name: code for name, code in encoded.items() if name not in REFERENCES}
    first, baseline = next(iter(codes.values())), {}
    if other:
        baseline = dict(baseline=extract_test_features(other))
        check_same_images(first, baseline['baseline'], 'the config of --baseline')
        baseline = dict(baseline=in_order_of(first, baseline['baseline']))
    report = compare_retrieval(codes, model.cfg.test_evaluator)
    compared = baseline | codes
    histograms = {name: cross_modality_histograms(code) for name, code in compared.items()}
    found = read(baseline | encoded, ask(first, known_factors(model, first), args.seed), probe)
    rows = choose_rows(first, args.num_ids, args.max_points, args.seed)
    write_trials(report, out_dir / 'retrieval.csv')
    write_probes(found, args, out_dir / 'probes.json')
    draw_distances(histograms, out_dir / 'distances.png')
    draw_codes(codes, rows, embed, out_dir / 'codes_tsne.png')
    tables = format_table(report), align_rows(mean_distances(histograms))
    print(*tables, align_rows(probe_table(found)), sep='\n\n')
    files = 'retrieval.csv, probes.json, distances.png and codes_tsne.png'
    print(f'\n{files} are in {out_dir}.')


def in_order_of(reference: FeatureSet, other: FeatureSet) -> FeatureSet:
    """The features of the same images in the order of another set."""
    rows = {name: row for row, name in enumerate(other.names)}
    return replace(reference, features=other.features[[rows[name] for name in reference.names]])


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
