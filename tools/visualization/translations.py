"""Draw visible images beside what a model translates them to.

``python tools/visualization/translations.py CONFIG CHECKPOINT --out translations.png``

A row per person: a visible image, its fake infrared translation, a real infrared image of the same
person, and what else the model makes of the two (Fig. 5 of the AlignGAN paper). For every model
that has ``generate``, such as AlignGAN.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    ImageKind,
    add_picture_arguments,
    check_methods,
    choose_images,
    init_model,
    load_split,
    make_caption,
    model_parser,
    write_picture,
)
from mmvireid.datasets import reid_collate
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.engine.runner import clear_errors
from mmvireid.models.base import BaseReID
from mmvireid.screen import steady_screen
from mmvireid.storage import check_output
from mmvireid.structures import INFRARED, VISIBLE, ReIDDataSample
from mmvireid.visualization import draw_image_grid


@torch.no_grad()
def translate(
    model: BaseReID, dataset: BaseReIDDataset, pairs: Sequence[tuple[int, int]]
) -> tuple[dict[str, list[np.ndarray]], list[ReIDDataSample]]:
    """Columns of uint8 BGR pictures by title, and the samples: all visible ones first."""
    rows = [dataset[index] for side in zip(*pairs) for index in side]
    batch = model.data_preprocessor(reid_collate(rows))
    columns = {
        title: model.data_preprocessor.to_pictures(images)
        for title, images in model.generate(batch['inputs']).items()
    }
    return columns, batch['data_samples']


def make_captions(samples: Sequence[ReIDDataSample]) -> list[str]:
    """Person and the cameras of both images: a text per row."""
    half = len(samples) // 2
    return [
        f'{make_caption(visible)} and {infrared.camera_id}'
        for visible, infrared in zip(samples[:half], samples[half:])
    ]


def run(args: argparse.Namespace) -> None:
    check_output(args.out)
    model = init_model(args.config, args.checkpoint, cfg_options=args.cfg_options)
    check_methods(model, args.config, ['generate'], 'that translates images, such as AlignGAN')
    dataset = load_split(model.cfg, args.split)
    kinds = ImageKind(VISIBLE, args.cameras), ImageKind(INFRARED)
    rng = np.random.default_rng(args.seed)
    pairs = choose_images(dataset, kinds, args.person_ids, args.num_ids, rng)
    columns, samples = translate(model, dataset, pairs)
    title = f'{Path(args.config).stem}, {args.split} images'
    write_picture(args.out, draw_image_grid(columns, make_captions(samples), title))
    print(f'{len(pairs)} people, picture in {args.out}')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument('--person-ids', type=int, nargs='+', help='these people instead')
    parser.add_argument('--cameras', type=int, nargs='+', help='cameras of the visible images')
    add_picture_arguments(parser, out='translations.png', num_ids=8)
    args = parser.parse_args(argv)
    with clear_errors('translations'):
        run(args)


if __name__ == '__main__':
    main()
