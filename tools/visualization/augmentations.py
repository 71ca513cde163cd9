"""Draw what each of a file's augmentations does, by itself, to images of both modalities.

``python tools/visualization/augmentations.py --visible IMAGE --infrared IMAGE --out picture.png``

A row for each augmentation that the file has in its ``_augmentations``, drawn several times with
probability 1; the first row shows the images as they are. What a config makes of its batches is
drawn by ``browse_dataset.py``.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import add_out_argument, positive, write_picture
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.errors import InvalidValueError
from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.pictures import read_image
from mmvireid.storage import check_output
from mmvireid.structures import MODALITIES, ReIDDataSample
from mmvireid.visualization import draw_image_grid

FILE = Path(__file__).resolve().parents[2] / 'configs/_base_/augmentations.py'
SIZE = (128, 64)


def augmented(
    image: np.ndarray, modality: str, augmentation: dict | None, draws: int
) -> list[np.ndarray]:
    """What becomes of an image.

    Args:
        image: uint8 BGR (H, W, 3).
        modality: Of the image.
        augmentation: Config of a :class:`~mmvireid.models.augmentations.BaseAugmentation`, which
            is applied always; ``None`` for none.
        draws: How often it is drawn.

    Returns:
        ``draws`` pictures like the image.
    """
    steps = [dict(augmentation, prob=1.0)] if augmentation else []
    preprocessor = ReIDDataPreprocessor(views={modality: dict(augmentations=steps)})
    inputs = torch.from_numpy(image).permute(2, 0, 1).repeat(draws, 1, 1, 1)
    samples = [ReIDDataSample(modality=modality) for _ in range(draws)]
    seen = preprocessor(dict(inputs=inputs, data_samples=samples), training=True)
    return preprocessor.to_pictures(seen['inputs'][modality])


def columns_of(
    images: Mapping[str, np.ndarray], augmentations: Mapping[str, dict], draws: int
) -> dict[str, list[np.ndarray]]:
    """The columns of the picture: by modality and draw, the image as it is and then changed."""
    columns = {}
    for modality, image in images.items():
        rows = [augmented(image, modality, step, draws) for step in (None, *augmentations.values())]
        columns |= {f'{modality} {i + 1}': [row[i] for row in rows] for i in range(draws)}
    return columns


def run(args: argparse.Namespace) -> None:
    check_output(args.out)
    found = Config.fromfile(args.file).get('_augmentations')
    if not found:
        raise InvalidValueError(
            f'augmentations: --file is {str(args.file)!r}, which has no `_augmentations`, expected '
            'a dict of their configs by name.'
        )
    images = {
        modality: cv2.resize(read_image(getattr(args, modality)), SIZE[::-1])
        for modality in MODALITIES
    }
    torch.manual_seed(args.seed)
    columns = columns_of(images, found, args.draws)
    write_picture(args.out, draw_image_grid(columns, ['as drawn', *found], height=args.height))
    print(f'{len(found)} augmentations are drawn in {args.out}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for modality in MODALITIES:
        parser.add_argument(f'--{modality}', required=True, metavar='IMAGE', help='a file')
    parser.add_argument(
        '--file',
        type=Path,
        default=FILE,
        help="with `_augmentations` (Python code: only files you trust); default: the toolbox's",
    )
    parser.add_argument('--draws', type=positive, default=3, help='of each (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the draws (%(default)s)')
    parser.add_argument('--height', type=positive, default=96, help='of an image, in pixels')
    add_out_argument(parser, 'augmentations.png')
    args = parser.parse_args(argv)
    with clear_errors('augmentations'):
        run(args)


if __name__ == '__main__':
    main()
