"""Measure how hard the rendered data set is for features that have learnt nothing.

Every test image is a query; it is matched with the images of other places than its own (cameras
that share a room count as one place). Colour histograms must work well within the visible
modality; across the modalities, histograms, pixels and an untrained network must stay near chance.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from rich.progress import track
from torchvision.models import resnet18

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, steady_screen
from mmvireid.datasets.rendering import LAYOUTS, SIZES, Shot, render_picture
from mmvireid.structures import INFRARED, VISIBLE

SIZE = (128, 64)  # height and width to which every picture is scaled first


class Score(NamedTuple):
    """Rank-1 of one feature, both in percent."""

    rank1: float
    chance: float


def colour_histogram(pictures: np.ndarray) -> np.ndarray:
    """8 x 8 x 8 blue-green-red histogram of the upper and the lower middle of each picture."""
    return _histograms(pictures, [0, 1, 2], 8)


def grey_histogram(pictures: np.ndarray) -> np.ndarray:
    """32-bin intensity histogram of the upper and the lower middle of each picture."""
    return _histograms(pictures.mean(3, keepdims=True).astype(np.uint8), [0], 32)


def _histograms(pictures: np.ndarray, channels: list[int], bins: int) -> np.ndarray:
    """Square roots of histograms, so that the dot product is the Bhattacharyya coefficient."""
    ranges = [0, 256] * len(channels)
    halves = pictures[:, 20:64, 18:46], pictures[:, 64:112, 18:46]
    rows = [
        np.concatenate([
            cv2.calcHist([half], channels, None, [bins] * len(channels), ranges).ravel()
            for half in person
        ])
        for person in zip(*halves)
    ]  # fmt: skip
    return np.sqrt(rows)


def grey_pixels(pictures: np.ndarray) -> np.ndarray:
    """Standardised grey values at a quarter of the size."""
    small = [cv2.resize(picture, (16, 32), interpolation=cv2.INTER_AREA) for picture in pictures]
    grey = np.stack(small).mean(3).reshape(len(pictures), -1)
    return (grey - grey.mean(1, keepdims=True)) / (grey.std(1, keepdims=True) + 1e-6)


@torch.inference_mode()
def untrained_network(pictures: np.ndarray) -> np.ndarray:
    """Pooled features of a randomly initialised ResNet-18."""
    torch.manual_seed(0)
    network = resnet18(weights=None)
    network.fc = torch.nn.Identity()
    batches = np.array_split(pictures, max(1, len(pictures) // 64))
    inputs = (torch.from_numpy(batch).permute(0, 3, 1, 2) / 255 - 0.45 for batch in batches)
    return torch.cat([network(batch) for batch in inputs]).numpy()


def rank1(
    features: np.ndarray, shots: Sequence[Shot], query_modality: str, gallery_modality: str
) -> Score:
    """Share of queries whose nearest image from another room shows the same person.

    Args:
        features: One row per shot, compared by cosine, shape (N, D).
        shots: Who was seen where, N of them.
        query_modality: Modality of the queries.
        gallery_modality: Modality of the images that they are matched with.

    Returns:
        The rate and, as chance, the expected rate of a random choice; queries without any true
        match count in neither.
    """
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    modality = np.array([shot.camera.modality for shot in shots])
    query, gallery = modality == query_modality, modality == gallery_modality
    person = np.array([shot.person_id for shot in shots])
    room = np.array([shot.camera.room for shot in shots])
    similarity = features[query] @ features[gallery].T
    allowed = room[query][:, None] != room[gallery][None]
    match = allowed & (person[query][:, None] == person[gallery][None])
    nearest = np.where(allowed, similarity, -np.inf).argmax(1)
    hit, valid = match[np.arange(len(match)), nearest], match.any(1)
    chance = match.sum(1)[valid] / allowed.sum(1)[valid]
    return Score(100 * hit[valid].mean(), 100 * chance.mean())


MEASUREMENTS: dict[str, tuple[Callable, str, str]] = {
    'colour histogram, visible -> visible': (colour_histogram, VISIBLE, VISIBLE),
    'colour histogram, infrared -> visible': (colour_histogram, INFRARED, VISIBLE),
    'grey histogram, infrared -> visible': (grey_histogram, INFRARED, VISIBLE),
    'grey pixels, infrared -> visible': (grey_pixels, INFRARED, VISIBLE),
    'untrained ResNet-18, infrared -> visible': (untrained_network, INFRARED, VISIBLE),
}


def calibrate(shots: Sequence[Shot], seed: int) -> dict[str, Score]:
    """Render pictures and score every feature of :data:`MEASUREMENTS` on them.

    Args:
        shots: What to render.
        seed: Seed of the data set.

    Returns:
        Measurement -> rank-1 and chance.
    """
    pictures = np.stack([
        cv2.resize(
            render_picture(seed, shot.person_id, shot.camera, shot.index), SIZE[::-1],
            interpolation=cv2.INTER_AREA,
        )
        for shot in track(shots, 'Rendering the test split')
    ])  # fmt: skip
    return {
        name: rank1(feature(pictures), shots, *modalities)
        for name, (feature, *modalities) in MEASUREMENTS.items()
    }


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    """Print one line per measurement, chance beside it."""
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', default='small', choices=SIZES)
    parser.add_argument('--layout', default='sysu', choices=LAYOUTS)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args(argv)
    if args.seed < 0:
        parser.error(f'--seed is {args.seed}, expected at least 0')
    shots = LAYOUTS[args.layout](args.size, args.seed).test_shots()
    print(f'{"rank-1 in percent":<44}{"measured":>9}{"chance":>8}{"ratio":>7}')
    for name, score in calibrate(shots, args.seed).items():
        ratio = score.rank1 / score.chance
        print(f'{name:<44}{score.rank1:>9.2f}{score.chance:>8.2f}{ratio:>7.1f}')


if __name__ == '__main__':
    main()
