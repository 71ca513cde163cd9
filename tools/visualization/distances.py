"""Show how far apart a model holds images of the two modalities.

``python tools/visualization/distances.py CONFIG CHECKPOINT --initial --out distances.png``

Euclidean distances of the L2-normalised retrieval features of all pairs of a visible and an
infrared test image, whatever their cameras: those of the same identity against those of two, for
every model on the same images. Drawn are their histograms and means, a panel per model; printed
are the means and their difference delta. For any method (Fig. 5 of the Hi-CMD paper).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.device import get_device

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    add_out_argument,
    build_models,
    check_same_images,
    extract_test_features,
    init_model,
    keep_images,
    load_split,
    model_parser,
)
from mmvireid.commands import steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import FeatureSet, align_rows
from mmvireid.evaluation.functional import cross_modality_histograms
from mmvireid.models.base import BaseReID
from mmvireid.storage import check_output
from mmvireid.visualization import draw_distances, mean_distances


def extract_all(models: dict[str, BaseReID], args: argparse.Namespace) -> dict[str, FeatureSet]:
    """Features of the asked test images, which are the same for all models."""
    datasets = {name: load_split(model.cfg, 'test') for name, model in models.items()}
    for dataset in datasets.values():  # all of them first: a mistake costs no time
        keep_images(dataset, args.person_ids, args.cameras)
    found = {}
    for name, model in models.items():
        found[name] = extract_test_features(model, datasets[name])
        check_same_images(next(iter(found.values())), found[name], name)
    return found


def run(args: argparse.Namespace) -> None:
    check_output(args.out)
    models = build_models(args)
    if args.initial:
        torch.manual_seed(args.seed)
        initial = init_model(args.config, device=get_device(), cfg_options=args.cfg_options)
        initial.init_weights()  # as training does: the model may start from ImageNet's weights
        models = {'initial': initial} | models
    found = extract_all(models, args)
    histograms = {name: cross_modality_histograms(features) for name, features in found.items()}
    draw_distances(histograms, Path(args.out))
    print(align_rows(mean_distances(histograms)))
    print(f'\n{len(next(iter(found.values())))} images, picture in {args.out}')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__, others='with a panel of its own')
    parser.add_argument(
        '--initial', action='store_true', help="a panel of CONFIG's network before training"
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the initial weights')
    parser.add_argument('--person-ids', type=int, nargs='+', help='only images of these people')
    parser.add_argument('--cameras', type=int, nargs='+', help='only images by these cameras')
    add_out_argument(parser, 'distances.png')
    args = parser.parse_args(argv)
    with clear_errors('distances'):
        run(args)


if __name__ == '__main__':
    main()
