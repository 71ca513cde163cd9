"""Draw a training batch as the model gets it: cropped, augmented, in all its views.

``python tools/misc/browse_dataset.py CONFIG --out batch.png``

A row per person, a column per view and image: of every person of the batch the first images of
each view, a view being called after its modality where the config names none. All that a training
does is done, the pipeline, the data preprocessor and the seeds, so that ``--iteration 0`` shows the
very images of the first iteration. Values that no picture can hold are cut off. A view that a
method makes itself while it trains, by a generator, is not there.
"""

import argparse
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import add_out_argument, at_least_0, positive, write_picture
from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.engine.hooks import IterationSeedHook
from mmvireid.engine.runner import clear_errors, read_config
from mmvireid.engine.runner.config_check import check_config
from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import view_rows
from mmvireid.registry import MODELS
from mmvireid.storage import check_output
from mmvireid.visualization import draw_image_grid
from mmvireid.visualization.drawing import widen


def training_batch(cfg: Config, iteration: int) -> Iterator[tuple[str, list, list]]:
    """The blocks of a training batch: name (empty for a batch without), pictures and samples.

    Args:
        cfg: Of a method.
        iteration: Number of the batch in the first epoch.

    Raises:
        ValueError: If the epoch is shorter.
    """
    check_config(cfg)
    init_default_scope(cfg.default_scope)
    seed = (cfg.get('randomness') or {}).get('seed') or 0
    loader_cfg = dict(cfg.train_dataloader, num_workers=0, persistent_workers=False)
    loader_cfg.pop('prefetch_factor', None)
    loader = Runner.build_dataloader(loader_cfg, seed=seed)
    kind = dict(type='ReIDDataPreprocessor')
    preprocessor = MODELS.build(kind | dict(cfg.model.get('data_preprocessor') or {}))
    loader.batch_sampler.start = iteration
    batch = next(iter(loader), None)
    if batch is None:
        raise InvalidValueError(
            f'training_batch: --iteration is {iteration}, expected less than the '
            f'{len(loader)} of an epoch.'
        )
    IterationSeedHook().before_train_iter(SimpleNamespace(seed=seed, iter=iteration), iteration)
    seen = preprocessor(batch, training=True)
    samples = seen['data_samples']
    blocks = samples if isinstance(samples, dict) else {'': samples}
    for name, own in blocks.items():
        images = seen['inputs'][name] if name else seen['inputs']
        pictures = itertools.chain.from_iterable(map(preprocessor.to_pictures, images.values()))
        yield name, list(pictures), own


def choose(
    pictures: Sequence[np.ndarray], samples: Sequence, num_ids: int, num_images: int
) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """Pictures by view and number (columns), and whose they are (rows).

    Args:
        pictures: uint8 BGR (H, W, 3), in the order of the batch.
        samples: What is known of them.
        num_ids: Most people.
        num_images: Most images of a person in a view.

    Raises:
        ValueError: If nobody is seen in all views.
    """
    found = defaultdict(lambda: defaultdict(list))  # person -> view -> pictures
    for view, rows in view_rows(samples).items():
        for sample, picture in zip(samples[rows], pictures[rows]):
            found[sample.person_id][view].append(picture)
    views = {view: None for own in found.values() for view in own}
    people = [person for person, own in found.items() if set(own) == set(views)][:num_ids]
    if not people:
        raise InvalidValueError(
            f'choose: the batch has {len(found)} people, none of them in all of {[*views]}, '
            'expected one: take another --iteration, or a batch sampler that draws both modalities.'
        )
    columns = {}
    for view in views:
        shown = min(num_images, *(len(found[person][view]) for person in people))
        for i in range(shown):
            label = f'{view} {i + 1}' if shown > 1 else view
            columns[label] = [found[person][view][i] for person in people]
    return columns, [f'person {person}' for person in people]


def run(args: argparse.Namespace) -> None:
    check_output(args.out)
    cfg = read_config(args.config, args.cfg_options)
    parts = []
    for name, pictures, samples in training_batch(cfg, args.iteration):
        columns, people = choose(pictures, samples, args.num_ids, args.num_images)
        title = f'block {name}' if name else ''
        parts.append(draw_image_grid(columns, people, title, args.height))
    width = max(part.shape[1] for part in parts)
    write_picture(args.out, np.concatenate([widen(part, width) for part in parts]))
    print(f'The batch is drawn in {args.out}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    add_options_argument(parser)
    parser.add_argument('--iteration', type=at_least_0, default=0, help='which batch (%(default)s)')
    parser.add_argument('--num-ids', type=positive, default=4, help='most people (%(default)s)')
    parser.add_argument(
        '--num-images', type=positive, default=2, help='most images of each view (%(default)s)'
    )
    parser.add_argument('--height', type=positive, default=128, help='of an image, in pixels')
    add_out_argument(parser, 'training_batch.png')
    args = parser.parse_args(argv)
    with clear_errors('browse_dataset'):
        run(args)


if __name__ == '__main__':
    main()
