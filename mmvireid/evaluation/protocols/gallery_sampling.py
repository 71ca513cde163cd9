"""Folders of images, and the draws from them."""

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.feature_set import FeatureSet

Folders = dict[tuple[int, int], np.ndarray]


def sorted_rows(feature_set: FeatureSet, selected: np.ndarray) -> np.ndarray:
    """Selected rows by person, then camera, then file name.

    Args:
        feature_set: What is known about the images.
        selected: Mask, shape (N,).

    Returns:
        Row numbers.
    """
    names, cameras, persons = feature_set.names, feature_set.camera_ids, feature_set.person_ids
    order = np.lexsort((names, cameras, persons))
    return order[selected[order]]


def folders(feature_set: FeatureSet, rows: np.ndarray) -> Folders:
    """Group rows by ``(person_id, camera_id)``: on disk, one folder each.

    Args:
        feature_set: What is known about the images.
        rows: Output of :func:`sorted_rows`.

    Returns:
        The rows of each folder in file-name order; keys ascend.
    """
    keys = np.stack([feature_set.person_ids[rows], feature_set.camera_ids[rows]], axis=1)
    starts = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    groups = np.split(rows, starts) if len(rows) else []
    return {tuple(map(int, keys[at])): group for at, group in zip([0, *starts], groups)}


def seeded_gallery(images: Folders, shots: int, trial: int) -> np.ndarray:
    """Draw a gallery as released Python code does: identity by identity, camera by camera.

    A draw depends only on the number of images in a folder. With one shot it is one ``choice`` of
    Python's generator seeded with the trial's number, as in the released code. That code has no
    seeded draw of several images; here it is one ``sample`` without replacement.

    Args:
        images: Folders to draw from.
        shots: Images per folder, at least 1; a folder that has fewer gives all it has.
        trial: Number of the trial, from 0.

    Returns:
        Rows of the gallery: identity-major, camera-minor.
    """
    generator = random.Random(trial)
    picks = []
    for _, rows in sorted(images.items()):
        if shots == 1:
            picks.append(generator.choice(rows))
        else:
            picks.extend(rows[generator.sample(range(len(rows)), min(shots, len(rows)))])
    return np.array(picks, np.int64)


class OfficialGallery:
    """The draws that come with SYSU-MM01, the counterpart of :func:`seeded_gallery`.

    The file holds ten permutations of every folder; the first images of row t form the gallery of
    trial t.

    Args:
        path: ``rand_perm_cam.mat``: a cell ``rand_perm_cam`` with a cell per camera, which has a
            (10, images) matrix of 1-based image numbers per person.

    Raises:
        ValueError: If the file has another content.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        try:
            cells = scipy.io.loadmat(path)['rand_perm_cam'][:, 0]
            self.permutations = {
                (person, camera): matrix.astype(np.int64)
                for camera, cell in enumerate(cells, 1)
                for person, matrix in enumerate(cell[:, 0], 1)
            }
        except (ValueError, KeyError, IndexError, TypeError, NotImplementedError) as error:
            raise InvalidValueError(
                f'OfficialGallery: `path` is {path}, expected a Matlab file with a cell '
                f'`rand_perm_cam` of one cell per camera: {error}'
            ) from error

    def check(self, images: Folders, expected: Iterable[tuple[int, int]], num_trials: int) -> None:
        """Make sure that the file speaks of these folders.

        Args:
            images: Folders to draw from.
            expected: (person, camera) of every folder that may exist.
            num_trials: Number of draws.

        Raises:
            ValueError: If the file lists another number of images for a folder, or fewer draws.
        """
        nothing = np.empty((0, 0))
        for person, camera in expected:
            on_disk = len(images.get((person, camera), ()))
            listed = self.permutations.get((person, camera), nothing).shape[1]
            if on_disk != listed:
                raise InvalidValueError(
                    f'OfficialGallery: camera {camera} has {on_disk} images of person {person}, '
                    f'expected {listed}, the number in {self.path}. The official gallery needs '
                    "the complete folders; use gallery='seeded' for anything else."
                )
        available = min((len(self.permutations[key]) for key in images), default=num_trials)
        if num_trials > available:
            raise InvalidValueError(
                f'OfficialGallery: `num_trials` is {num_trials}, expected at most {available}, '
                f'the number in {self.path}.'
            )

    def __call__(self, images: Folders, shots: int, trial: int) -> np.ndarray:
        """Rows of a gallery, camera-major and identity-minor; as :func:`seeded_gallery`."""
        picks = [np.empty(0, np.int64)]
        for key in sorted(images, key=lambda key: key[::-1]):
            picks.append(images[key][self.permutations[key][trial, :shots] - 1])
        return np.concatenate(picks)
