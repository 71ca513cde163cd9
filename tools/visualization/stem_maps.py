"""Draw what the stems of a two-stream model see, and count their dead maps.

``python tools/visualization/stem_maps.py CONFIG CHECKPOINT --visible IMAGE --infrared IMAGE
--other CONFIG CHECKPOINT --out stem_maps.png``

All maps of a visible and an infrared image, best of one person, side by side: a row per model, such
as one with the perceptual edge loss and one without (Fig. 4 of the MSO paper). Every map is drawn
from black (0) to white (its own maximum).

A map is dead on an image if its maximum is at most 1e-6 (stems end with ReLU, so nothing is below
0); a dead map is drawn in red. That it is dead on one image does not mean that it always is.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.dataset import Compose

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import add_out_argument, build_models, check_methods, model_parser
from mmvireid.commands import steady_screen
from mmvireid.datasets import reid_collate
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import align_rows
from mmvireid.models.base import BaseReID
from mmvireid.storage import check_output
from mmvireid.structures import MODALITIES
from mmvireid.visualization import write_figure

#: Maximum up to which a map counts as dead.
DEAD = 1e-6
_RED = (0.75, 0.15, 0.15)


@torch.no_grad()
def compute_stem_maps(model: BaseReID, images: dict[str, str]) -> dict[str, np.ndarray]:
    """Stem maps of one image per modality.

    Args:
        model: From ``init_model``.
        images: Path of an image per modality.

    Returns:
        Maps per modality, float32, shape (C, h, w).
    """
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    rows = [
        pipeline(dict(img_path=path, name=path, modality=key, sample_idx=index))
        for index, (key, path) in enumerate(images.items())
    ]
    batch = model.data_preprocessor(reid_collate(rows))
    stem_maps = model.backbone.embed_stems(batch['inputs'])
    return {key: maps[0].float().cpu().numpy() for key, maps in stem_maps.items()}


def find_dead(stem_maps: np.ndarray) -> np.ndarray:
    """Which of some maps (C, h, w) are dead, bool, (C,)."""
    return stem_maps.max(axis=(1, 2)) <= DEAD


def tile(stem_maps: np.ndarray, gap: int = 1) -> np.ndarray:
    """Lay maps (C, h, w) out in a square grid, RGB in [0, 1]; white gaps, red for dead maps."""
    count, height, width = stem_maps.shape
    columns = int(np.ceil(np.sqrt(count)))
    lines = -(-count // columns)
    picture = np.ones((lines * (height + gap) - gap, columns * (width + gap) - gap, 3))
    for index, (values, dead) in enumerate(zip(stem_maps, find_dead(stem_maps))):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        cell = _RED if dead else (values / values.max())[..., None]
        picture[top : top + height, left : left + width] = cell
    return picture


def draw(found: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Draw the maps of every model (rows) and modality (columns), with titles."""
    figure = Figure(figsize=(10, 9 * len(found)), layout='constrained')
    panels = figure.subplots(len(found), len(MODALITIES), squeeze=False)
    for line, (name, stem_maps) in zip(panels, found.items()):
        for axes, key in zip(line, MODALITIES):
            maps = stem_maps[key]
            axes.imshow(tile(maps), interpolation='nearest')
            axes.set_title(f'{name}, {key}: {find_dead(maps).sum()} of {len(maps)} dead')
            axes.set_axis_off()
    write_figure(figure, path)


def count_dead(found: dict[str, dict[str, np.ndarray]]) -> list[list[str]]:
    """Dead maps of every model and modality: rows of a table."""
    rows = [['dead maps', *MODALITIES]]
    for name, stem_maps in found.items():
        counts = [(find_dead(stem_maps[key]).sum(), len(stem_maps[key])) for key in MODALITIES]
        rows.append([name, *(f'{dead} of {all_maps}' for dead, all_maps in counts)])
    return rows


def run(args: argparse.Namespace) -> None:
    images = dict(zip(MODALITIES, (args.visible, args.infrared)))
    out = Path(args.out)
    check_output(out)
    found = {}
    for name, model in build_models(args).items():
        what = 'with a two-stream backbone, such as AGW or MSO'
        check_methods(model, name, ['backbone.embed_stems'], what)
        found[name] = compute_stem_maps(model, images)
    draw(found, out)
    print(align_rows(count_dead(found)))
    print(f'A map is dead if its maximum over the image is at most {DEAD:g}.')
    print(f'The maps are drawn in {out}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = model_parser(__doc__, others='drawn below')
    parser.add_argument('--visible', required=True, help='visible image')
    parser.add_argument('--infrared', required=True, help='infrared image')
    add_out_argument(parser, 'stem_maps.png')
    args = parser.parse_args(argv)
    with clear_errors('stem_maps'):
        run(args)


if __name__ == '__main__':
    main()
