"""Draw visible images beside what a model translates them to.

``python tools/visualization/translations.py CONFIG CHECKPOINT --out translations.png``

A row per person: a visible image, its fake infrared translation, a real infrared image of the same
person, and what else the model makes of the two (Fig. 5 of the AlignGAN paper). For every model
that has ``generate``, such as AlignGAN.

``--truth`` adds what only rendered data can show: the infrared picture that the infrared camera
would have taken of the visible image's moment, in the last column; and, for all visible images, how
much the fakes look like it (PSNR and SSIM of grey values, means over images), beside three
references: the visible picture as it is, in grey; an infrared picture of somebody else; and the
mean of these, which shows nobody (PSNR rewards blur: a fake that is not better than this one says
nothing of its person). From the infrared picture of somebody else Hi-CMD takes what a fake needs
besides the person: pose and illumination, or (relit) the illumination alone; so no fake has seen
its own person in infrared. The scores are printed, and written beside the picture, as .json.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
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
    write_picture,
)
from mmvireid.commands import steady_screen
from mmvireid.datasets import reid_collate
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.datasets.rendering import render_jpeg, rendered_layout
from mmvireid.engine.runner import clear_errors
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import align_rows
from mmvireid.evaluation.functional import Comparison, PictureSimilarity, picture_similarity
from mmvireid.models.base import BaseReID
from mmvireid.storage import check_output, new_file
from mmvireid.structures import INFRARED, VISIBLE, ReIDDataSample
from mmvireid.visualization import draw_image_grid

#: What methods call the fake infrared images of visible ones.
FAKES = ('fake infrared', 'visible person as infrared', 'visible person relit')
#: Images of each modality that are translated together.
BATCH = 64


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


def true_pictures(dataset: BaseReIDDataset, positions: Sequence[int]) -> list[np.ndarray]:
    """The same moments in the other modality, loaded as the data set's images are.

    Raises:
        ValueError: If the images are not rendered: nobody knows the truth then.
    """
    layout = rendered_layout(dataset.data_root)
    if layout is None:
        raise InvalidValueError(
            f'true_pictures: `data_root` is {str(dataset.data_root)!r}, expected a rendered data '
            'set: of any other one nobody has taken the same moment in infrared. Leave out --truth.'
        )
    shots = {shot.path: shot for shot in layout.shots()}
    pictures = []
    for row in map(dataset.get_data_info, positions):
        shot = shots[row['name']]
        sensor = layout.counterpart(shot.camera)
        who = layout.seed, shot.person_id, shot.camera, shot.index
        data = render_jpeg(*who, sensor, layout.tones)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        inputs = dataset.pipeline(dict(row, img=image))['inputs']
        pictures.append(inputs.permute(1, 2, 0).numpy())
    return pictures


def pair_with_others(
    dataset: BaseReIDDataset, args: argparse.Namespace, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Positions of all visible images, each with a random infrared image of another person."""
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    people = np.array([row['person_id'] for row in rows])
    infrared = np.array([row['modality'] == INFRARED for row in rows])
    kind = ImageKind(VISIBLE, args.cameras)
    return [
        (index, int(rng.choice(np.flatnonzero(infrared & (people != row['person_id'])))))
        for index, row in enumerate(rows)
        if kind.accepts(row) and row['person_id'] in (args.person_ids or people)
    ]


def score(
    model: BaseReID, dataset: BaseReIDDataset, pairs: list[tuple[int, int]], compare: Comparison
) -> dict[str, PictureSimilarity]:
    """How much fakes and the references look like the truth.

    Args:
        model: Any that has ``generate``.
        dataset: Rendered images.
        pairs: Positions of visible images, each with an infrared image of another person.
        compare: See :func:`picture_similarity`.

    Raises:
        ValueError: If the model makes no fakes that are known as such.
    """
    found = defaultdict(list)
    for start in track(range(0, len(pairs), BATCH), 'translating', console=Console(stderr=True)):
        columns, _ = translate(model, dataset, pairs[start : start + BATCH])
        fakes = [title for title in FAKES if title in columns]
        if not fakes:
            raise InvalidValueError(
                f'score: `model` makes {list(columns)}, expected one of {FAKES} among them.'
            )
        for title in (VISIBLE, *fakes, INFRARED):
            found[title] += columns[title]
    nobody = np.mean(found[INFRARED], axis=0).round().astype(np.uint8)
    found['mean of these'] = [nobody] * len(pairs)
    truth = true_pictures(dataset, [visible for visible, _ in pairs])
    names = {VISIBLE: 'visible picture, grey', INFRARED: 'infrared picture of somebody else'}
    return {names.get(key, key): compare(pictures, truth) for key, pictures in found.items()}


def report(scores: dict[str, PictureSimilarity], args: argparse.Namespace, count: int) -> None:
    """Print the scores, and write them beside the picture."""
    head = ['against the true infrared picture', 'PSNR, dB', 'SSIM']
    print(
        align_rows([head, *([key, f'{s.psnr:.2f}', f'{s.ssim:.3f}'] for key, s in scores.items())])
    )
    content = dict(
        config=args.config, checkpoint=args.checkpoint, split=args.split, images=count,
        scores={key: s._asdict() for key, s in scores.items()},
    )  # fmt: skip
    path = Path(args.out).with_suffix('.json')
    with new_file(path) as draft:
        draft.write_text(json.dumps(content, indent=2) + '\n', 'utf-8')
    print(f'\n{count} visible images, scores in {path}')


def run(args: argparse.Namespace) -> None:
    compare = picture_similarity() if args.truth else None  # a missing package costs no time
    check_output(args.out)
    model = open_model(args, ['generate'], 'that translates images, such as AlignGAN')
    dataset = load_split(model.cfg, args.split)
    kinds = ImageKind(VISIBLE, args.cameras), ImageKind(INFRARED)
    rng = np.random.default_rng(args.seed)
    pairs = choose_images(dataset, kinds, args.person_ids, args.num_ids, rng)
    truth = {}
    if args.truth:
        truth = {'true infrared': true_pictures(dataset, [visible for visible, _ in pairs])}
    columns, samples = translate(model, dataset, pairs)
    title = f'{Path(args.config).stem}, {args.split} images'
    write_picture(args.out, draw_image_grid(columns | truth, make_captions(samples), title))
    print(f'{len(pairs)} people, picture in {args.out}')
    if compare:
        pairs = pair_with_others(dataset, args, rng)
        report(score(model, dataset, pairs, compare), args, len(pairs))


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument('--person-ids', type=int, nargs='+', help='these people instead')
    parser.add_argument('--cameras', type=int, nargs='+', help='cameras of the visible images')
    parser.add_argument(
        '--truth', action='store_true', help='also the true infrared pictures, of rendered data'
    )
    add_picture_arguments(parser, out='translations.png', num_ids=8)
    args = parser.parse_args(argv)
    with clear_errors('translations'):
        run(args)


if __name__ == '__main__':
    main()
