"""Draw people with the factors of other images, to show what a model has separated.

``python tools/visualization/swap_factors.py CONFIG CHECKPOINT --figure excluded --out swap.png``

The model takes every image apart into four codes: prototype and style, which tell who somebody is
(ID-discriminative), pose and illumination, which do not (ID-excluded). The picture shows what it
puts together from the codes of two images. Real pictures stand in the first column (inputs) and in
the first row (references). A cell is its row's input with some codes of its column's reference:

- ``excluded``: pose and illumination (Fig. 6a of the Hi-CMD paper);
- ``discriminative``: prototype and style (Fig. 6b);
- ``illumination``: that alone, so that the pose is kept (Fig. 7);
- ``pose``: that alone, so that the illumination is kept.

``--figure interpolation`` (Fig. 8) draws the i-th input and the i-th reference at the two ends of
row i, and between them the input with pose and illumination on the way, in equal steps, from its
own (0) to the reference's (1).

Inputs are visible images and references infrared ones, of people who are drawn at random, the
references of other people than the inputs. Name people and cameras to choose; there is one image
per named person. For every model that has ``encode`` and ``decode``, such as HiCMD.

Example: persons 12 and 40, as camera 3 or 6 saw them, with the poses of persons 7 and 12:
``... --figure pose --person-ids 12 40 --cameras 3 6 --reference-ids 7 12``
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import (
    ImageKind,
    add_picture_arguments,
    choose_images,
    load_split,
    make_caption,
    model_parser,
    open_model,
    positive,
    write_picture,
)
from mmvireid.commands import steady_screen
from mmvireid.datasets import reid_collate
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.engine.runner import clear_errors
from mmvireid.models.base import BaseReID
from mmvireid.models.generators import Codes, join_codes
from mmvireid.storage import check_output
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE
from mmvireid.visualization import draw_image_grid

#: The codes that a cell takes from its reference; the others are its input's.
FROM_REFERENCE = dict(
    excluded=('pose', 'illumination'),
    discriminative=('prototype', 'style'),
    illumination=('illumination',),
    pose=('pose',),
    interpolation=('pose', 'illumination'),
)


class Encoded(NamedTuple):
    """Images of a model's size, what they were taken apart into, and who they show."""

    codes: Codes
    pictures: list[np.ndarray]
    captions: list[str]


@torch.no_grad()
def encode(model: BaseReID, dataset: BaseReIDDataset, positions: Sequence[int]) -> Encoded:
    """Encode some images, each by the encoders of its modality, in their order."""
    codes, pictures, captions = [], [], []
    for position in positions:
        batch = model.data_preprocessor(reid_collate([dataset[position]]))
        [(modality, images)] = batch['inputs'].items()
        codes.append(model.encode(images, modality))
        pictures += model.data_preprocessor.to_pictures(images)
        captions += map(make_caption, batch['data_samples'])
    return Encoded(join_codes(codes), pictures, captions)


def swap(inputs: Codes, references: Codes, names: Sequence[str]) -> Iterator[Codes]:
    """For every reference, all inputs with its codes of these names in place of their own."""
    for reference in range(len(references.prototype)):
        rows = [reference] * len(inputs.prototype)
        yield inputs._replace(**{name: getattr(references, name)[rows] for name in names})


def interpolate(
    inputs: Codes, references: Codes, names: Sequence[str], steps: int
) -> Iterator[Codes]:
    """For every step, all inputs with codes on the way to those of their references."""
    for weight in torch.linspace(0, 1, steps).tolist():
        ends = ((name, getattr(inputs, name), getattr(references, name)) for name in names)
        yield inputs._replace(**{name: own.lerp(other, weight) for name, own, other in ends})


@torch.no_grad()
def decode(model: BaseReID, columns: Iterable[Codes], total: int) -> list[list[np.ndarray]]:
    """Pictures of every column of codes."""
    bar = track(columns, 'decoding', total, console=Console(stderr=True), transient=True)
    return [model.data_preprocessor.to_pictures(model.decode(codes)) for codes in bar]


def swap_grid(
    inputs: Encoded, references: Encoded, columns: Sequence[Sequence[np.ndarray]]
) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """Columns by label, and captions of the rows: a row per input, a column per reference."""
    corner = np.full_like(inputs.pictures[0], 255)
    grid = {'input': [corner, *inputs.pictures]}
    heads = zip(references.captions, references.pictures)
    for number, ((caption, real), column) in enumerate(zip(heads, columns), 1):
        grid[f'{number}: {caption}'] = [real, *column]  # a person may come twice: numbered
    return grid, ['reference', *inputs.captions]


def interpolation_grid(
    inputs: Encoded, references: Encoded, columns: Sequence[Sequence[np.ndarray]]
) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """Columns by label, and captions of the rows: a row per pair, the real images at its ends."""
    steps = {f'{step}/{len(columns) - 1}': column for step, column in enumerate(columns)}
    captions = [f'{own} to {other}' for own, other in zip(inputs.captions, references.captions)]
    return dict(input=inputs.pictures, **steps, reference=references.pictures), captions


def image_kind(cameras: Sequence[int] | None, modality: str | None, default: str) -> ImageKind:
    """What is asked for: unless it is said, one modality, or any where cameras are named."""
    return ImageKind(modality or (None if cameras else default), cameras)


def choose(dataset: BaseReIDDataset, args: argparse.Namespace) -> tuple[list[int], list[int]]:
    """Positions of the inputs and of the references."""
    rng = np.random.default_rng(args.seed)
    named = args.person_ids or args.reference_ids
    # a pair needs one of each: as many are drawn as are named
    num_ids = len(named) if named and args.figure == 'interpolation' else args.num_ids
    kind = image_kind(args.cameras, args.modality, VISIBLE)
    people = args.reference_ids or []
    chosen = choose_images(dataset, [kind], args.person_ids, num_ids, rng, besides=people)
    inputs = [position for (position,) in chosen]
    kind = image_kind(args.reference_cameras, args.reference_modality, INFRARED)
    people = [dataset.get_data_info(position)['person_id'] for position in inputs]
    chosen = choose_images(dataset, [kind], args.reference_ids, num_ids, rng, besides=people)
    return inputs, [position for (position,) in chosen]


def draw(
    model: BaseReID, inputs: Encoded, references: Encoded, args: argparse.Namespace
) -> np.ndarray:
    """The picture that is asked for, uint8 BGR."""
    names = FROM_REFERENCE[args.figure]
    if args.figure == 'interpolation':
        codes = interpolate(inputs.codes, references.codes, names, args.steps)
        columns, lay_out = decode(model, codes, args.steps), interpolation_grid
    else:
        codes = swap(inputs.codes, references.codes, names)
        columns, lay_out = decode(model, codes, len(references.pictures)), swap_grid
    title = f'{Path(args.config).stem}, {args.split} images: {" and ".join(names)} of the reference'
    return draw_image_grid(*lay_out(inputs, references, columns), title)


def run(args: argparse.Namespace) -> None:
    check_output(args.out)
    what = 'that takes images apart and puts them together, such as HiCMD'
    model = open_model(args, ['encode', 'decode'], what)
    dataset = load_split(model.cfg, args.split)
    inputs, references = choose(dataset, args)
    if args.figure == 'interpolation' and len(inputs) != len(references):
        raise SystemExit(
            f'swap_factors: there are {len(inputs)} inputs and {len(references)} references, '
            'expected as many of both, pair by pair. Name as many people, or set --num-ids.'
        )
    encoded = (encode(model, dataset, positions) for positions in (inputs, references))
    write_picture(args.out, draw(model, *encoded, args))
    print(f'{len(inputs)} inputs and {len(references)} references, picture in {args.out}')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument(
        '--figure', choices=FROM_REFERENCE, default='excluded', help='what is drawn, see above'
    )
    parser.add_argument('--steps', type=positive, default=7, help='of the interpolation (7)')
    parser.add_argument('--person-ids', type=int, nargs='+', help='these people as inputs')
    parser.add_argument('--cameras', type=int, nargs='+', help='cameras of the inputs')
    parser.add_argument('--reference-ids', type=int, nargs='+', help='these people as references')
    parser.add_argument(
        '--reference-cameras', type=int, nargs='+', help='cameras of the references'
    )
    for option, default in (('--modality', VISIBLE), ('--reference-modality', INFRARED)):
        text = f'{default} by default, any if cameras are named'
        parser.add_argument(option, choices=MODALITIES, help=text)
    add_picture_arguments(parser, out='swap_factors.png', num_ids=5)
    args = parser.parse_args(argv)
    if args.steps < 2:
        parser.error('expected --steps of at least 2, the two ends.')
    with clear_errors('swap_factors'):
        run(args)


if __name__ == '__main__':
    main()
