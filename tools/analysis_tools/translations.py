"""Draw visible images beside what a model translates them to.

``python tools/analysis_tools/translations.py CONFIG CHECKPOINT --out translations.png``

A row per person: a visible image, its fake infrared translation, a real infrared image of the same
person, and what else the model makes of the two (Fig. 5 of the AlignGAN paper). For every model
that has ``generate``, such as AlignGAN.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config

from mmvireid.apis import init_model, make_folder, model_parser
from mmvireid.datasets import reid_collate
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.datasets.image_tree import brief_list
from mmvireid.engine.runner import clear_errors
from mmvireid.models.base import BaseReID
from mmvireid.registry import DATASETS
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE, ReIDDataSample
from mmvireid.visualization import draw_image_grid


def load_split(cfg: Config, split: str) -> BaseReIDDataset:
    """The images of the config's test or training data, as the test pipeline loads them."""
    pipeline = cfg.test_dataloader.dataset.pipeline
    dataset = cfg[f'{split}_dataloader'].dataset
    return DATASETS.build(dict(dataset, pipeline=pipeline, cache=None))


def images_of_people(
    dataset: BaseReIDDataset, cameras: Sequence[int] | None
) -> dict[int, dict[str, list[int]]]:
    """Positions of the images of everyone who is there in both modalities, by person and modality.

    Args:
        dataset: Where to look.
        cameras: Cameras of the visible images; ``None`` for all.

    Raises:
        SystemExit: If a camera has no visible image.
    """
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    known = {row['camera_id'] for row in rows if row['modality'] == VISIBLE}
    chosen = set(cameras or known)
    if not chosen <= known:
        raise SystemExit(
            f'translations: --cameras has {sorted(chosen - known)}, expected some of '
            f'{sorted(known)}, the cameras of visible images.'
        )
    people = {}
    for index, row in enumerate(rows):
        if row['modality'] == INFRARED or row['camera_id'] in chosen:
            images = people.setdefault(row['person_id'], {key: [] for key in MODALITIES})
            images[row['modality']].append(index)
    return {person: images for person, images in sorted(people.items()) if all(images.values())}


def choose_pairs(
    people: dict[int, dict[str, list[int]]],
    person_ids: Sequence[int] | None,
    num_ids: int,
    seed: int,
) -> list[tuple[int, int]]:
    """Draw an image per modality of some people.

    Args:
        people: From :func:`images_of_people`.
        person_ids: Whom to take; ``None`` draws ``num_ids`` people.
        num_ids: How many to draw at most.
        seed: Seed of the draws.

    Returns:
        Positions of a visible and an infrared image of each, in the order of ``person_ids``, or
        ascending.

    Raises:
        SystemExit: If there is no such person.
    """
    unknown = set(person_ids or []) - set(people)
    if unknown or not people:
        raise SystemExit(
            f'translations: --person-ids is {person_ids}, expected people with a visible (of '
            f'--cameras) and an infrared image: {brief_list(list(people)) or "there is none"}.'
        )
    rng = np.random.default_rng(seed)
    if person_ids is None:
        person_ids = np.sort(rng.choice(list(people), min(num_ids, len(people)), replace=False))
    return [tuple(int(rng.choice(people[i][key])) for key in MODALITIES) for i in person_ids]


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
        f'id {visible.person_id}, cam {visible.camera_id} and {infrared.camera_id}'
        for visible, infrared in zip(samples[:half], samples[half:])
    ]


def run(args: argparse.Namespace) -> None:
    make_folder(Path(args.out).parent)
    model = init_model(args.config, args.checkpoint)
    if not hasattr(model, 'generate'):
        raise SystemExit(
            f'translations: `config` is {args.config!r} of a {type(model).__name__}, expected a '
            'model that translates images (`generate`), such as AlignGAN.'
        )
    dataset = load_split(model.cfg, args.split)
    people = images_of_people(dataset, args.cameras)
    pairs = choose_pairs(people, args.person_ids, args.num_ids, args.seed)
    columns, samples = translate(model, dataset, pairs)
    title = f'{Path(args.config).stem}, {args.split} images'
    cv2.imwrite(args.out, draw_image_grid(columns, make_captions(samples), title))
    print(f'{len(pairs)} people, picture in {args.out}')


def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument('--num-ids', type=int, default=8, help='people to draw at random')
    parser.add_argument('--seed', type=int, default=0, help='seed of the choice of images')
    parser.add_argument('--person-ids', type=int, nargs='+', help='these people instead')
    parser.add_argument('--cameras', type=int, nargs='+', help='cameras of the visible images')
    parser.add_argument('--split', choices=['test', 'train'], default='test', help='whose images')
    parser.add_argument('--out', default='translations.png', help='picture to write')
    args = parser.parse_args(argv)
    if args.num_ids < 1 or not cv2.haveImageWriter(args.out):
        parser.error('expected --num-ids of at least 1 and --out that ends as pictures do (.png).')
    with clear_errors('translations'):
        run(args)


if __name__ == '__main__':
    main()
