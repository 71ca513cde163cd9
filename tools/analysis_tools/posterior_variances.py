"""Show which images a model with Gaussian codes is unsure of.

``python tools/analysis_tools/posterior_variances.py CONFIG CHECKPOINT --out-dir DIR``

The DG-VAE paper (Sec. 4.5) says that outliers, such as people who are hidden in part, get codes of
a larger variance. Here every test image is encoded as it is and with its lower part hidden, and the
variance of a code is the mean over its dimensions. Printed:

- mean variance of each code by modality, as it is and hidden, and how often that of the hidden
  image is the larger one (50 % if the code does not see it);
- rank correlation of an image's variance with the distance of its code from the mean code of its
  person: 0 if outliers have no larger variance than others.

Written: ``variances.csv`` (figures of every image), ``variances.png`` (histograms) and
``extremes.png`` (the images of the largest and of the smallest variance of the identity code).
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    encode_test_images,
    load_split,
    make_folder,
    model_parser,
    open_model,
    positive,
    write_picture,
)
from mmvireid.commands import steady_screen
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import FeatureSet, align_rows
from mmvireid.models.base import BaseReID
from mmvireid.pictures import read_image
from mmvireid.storage import new_file
from mmvireid.structures import MODALITIES
from mmvireid.visualization import draw_image_grid, write_figure

CODES = ('identity', 'ambiguous')
#: Blue, green and red of what hides a person: ImageNet's mean, which random erasing uses too.
COVER = np.array([104, 116, 124], np.uint8)


class HideLowerPart:
    """A transform that covers the lower part of an image.

    Args:
        share: Of the image's height, in [0, 1).
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, results: dict) -> dict:
        image = results['img'].copy()  # a cached one stays as it is
        image[round(len(image) * (1 - self.share)) :] = COVER
        return results | dict(img=image)


def encode(model: BaseReID, share: float) -> dict[str, FeatureSet]:
    """Codes and variances of the test images, with a share of each image hidden."""
    dataset = load_split(model.cfg, 'test')
    dataset.pipeline.transforms.insert(-1, HideLowerPart(share))

    def encode_batch(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        codes = model.extract_posteriors(inputs)
        variances = {f'{name}_variance': code.log_var.exp() for name, code in codes.items()}
        return {name: code.mean for name, code in codes.items()} | variances

    return encode_test_images(model, encode_batch, dataset)


def mean_variance(codes: dict[str, FeatureSet], name: str) -> np.ndarray:
    """Variance of every image's code, the mean over its dimensions, (N,)."""
    return codes[f'{name}_variance'].features.mean(axis=1)


def distance_from_own(code: FeatureSet) -> np.ndarray:
    """Euclidean distance of every code from the mean code of its person, (N,)."""
    distances = np.empty(len(code.features))
    for person in np.unique(code.person_ids):
        rows = code.person_ids == person
        own = code.features[rows]
        distances[rows] = np.linalg.norm(own - own.mean(axis=0), axis=1)
    return distances


def summarise(whole: dict[str, FeatureSet], hidden: dict[str, FeatureSet]) -> list[list[str]]:
    """Rows of a table, a line per code and modality."""
    rows = [['mean variance', 'whole', 'hidden', 'hidden larger, %', 'rank correlation']]
    for name in CODES:
        before, after = mean_variance(whole, name), mean_variance(hidden, name)
        far = distance_from_own(whole[name])
        for modality in MODALITIES:
            of = whole[name].modalities == modality
            larger = 100 * (after[of] > before[of]).mean()
            correlation = spearmanr(before[of], far[of]).statistic
            cells = f'{before[of].mean():.4f}', f'{after[of].mean():.4f}', f'{larger:.1f}'
            rows.append([f'{name}, {modality}', *cells, f'{correlation:.3f}'])
    return rows


def write_rows(whole: dict[str, FeatureSet], hidden: dict[str, FeatureSet], path: Path) -> None:
    """Write a line per image."""
    code = whole['identity']
    columns = dict(name=code.names, person_id=code.person_ids, camera_id=code.camera_ids)
    for name in CODES:
        columns[f'{name}_variance'] = mean_variance(whole, name)
        columns[f'{name}_variance_hidden'] = mean_variance(hidden, name)
        columns[f'{name}_distance_from_own'] = distance_from_own(whole[name])
    with new_file(path) as draft, draft.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))


def draw_histograms(
    whole: dict[str, FeatureSet], hidden: dict[str, FeatureSet], share: float, path: Path
) -> None:
    """Draw the variances of both codes, of whole and of hidden images."""
    figure = Figure(figsize=(5 * len(CODES), 4), layout='constrained')
    for axes, name in zip(figure.subplots(1, len(CODES)), CODES):
        kinds = {
            'as they are': (mean_variance(whole, name), '#0072b2'),
            f'lower {share:.0%} hidden': (mean_variance(hidden, name), '#d55e00'),
        }
        edges = np.histogram_bin_edges(np.concatenate([v for v, _ in kinds.values()]), 50)
        for label, (values, color) in kinds.items():
            label = f'{label}, mean {values.mean():.4f}'
            axes.hist(values, edges, alpha=0.5, color=color, label=label)
            axes.axvline(values.mean(), color=color, linestyle='--')
        axes.set_title(f'{name} code')
        axes.margins(y=0.3)  # room for the legend
        axes.legend(loc='upper right')
    figure.supxlabel('variance of the code, mean over its dimensions')
    figure.supylabel('images')
    write_figure(figure, path)


def draw_extremes(
    code: FeatureSet, variances: np.ndarray, paths: dict[str, str], count: int
) -> np.ndarray:
    """Draw the images of the largest and of the smallest variances, in columns, by modality."""
    by_modality = {key: np.flatnonzero(code.modalities == key) for key in MODALITIES}
    count = min(count, *map(len, by_modality.values()))
    columns = {}
    for modality, rows in by_modality.items():
        order = rows[np.argsort(variances[rows], kind='stable')]
        for label, shown in (('largest', order[::-1][:count]), ('smallest', order[:count])):
            title = f'{modality}, {label}: {variances[shown[0]]:.3f} to {variances[shown[-1]]:.3f}'
            columns[title] = [read_image(paths[code.names[row]]) for row in shown]
    return draw_image_grid(columns)


def paths_of(dataset: BaseReIDDataset) -> dict[str, str]:
    """Files of images by their names."""
    infos = (dataset.get_data_info(index) for index in range(len(dataset)))
    return {info['name']: info['img_path'] for info in infos}


def run(args: argparse.Namespace) -> None:
    out_dir = make_folder(args.out_dir)
    model = open_model(args, ['extract_posteriors'], 'with Gaussian codes, such as DGVAE')
    whole, hidden = encode(model, 0.0), encode(model, args.share)
    write_rows(whole, hidden, out_dir / 'variances.csv')
    draw_histograms(whole, hidden, args.share, out_dir / 'variances.png')
    paths = paths_of(load_split(model.cfg, 'test'))
    variances = mean_variance(whole, 'identity')
    picture = draw_extremes(whole['identity'], variances, paths, args.num_images)
    write_picture(str(out_dir / 'extremes.png'), picture)
    print(align_rows(summarise(whole, hidden)))
    print(f'\nvariances.csv, variances.png and extremes.png are in {out_dir}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument('--out-dir', default='posterior_variances', help='where the files go')
    parser.add_argument(
        '--share', type=float, default=0.4, help='share of an image to hide (%(default)s)'
    )
    parser.add_argument(
        '--num-images', type=positive, default=5, help='images per extreme (%(default)s)'
    )
    args = parser.parse_args(argv)
    if not 0 < args.share < 1:
        parser.error('expected --share between 0 and 1.')
    with clear_errors('posterior_variances'):
        run(args)


if __name__ == '__main__':
    main()
