"""Images of a config's data, chosen by person, camera and modality."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from mmengine.config import Config

from mmvireid.datasets import check_trained_on
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.errors import InvalidValueError
from mmvireid.registry import DATASETS
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE, ReIDDataSample

_NOUNS = {None: 'an image', VISIBLE: 'a visible image', INFRARED: 'an infrared image'}


class ImageKind(NamedTuple):
    """Which images of a person will do.

    Args:
        modality: ``'visible'`` or ``'infrared'``; ``None`` for both.
        cameras: Their numbers; ``None`` for all.

    Example:
        >>> print(ImageKind('visible', [1, 2]))
        a visible image of one of the cameras [1, 2]
    """

    modality: str | None = None
    cameras: Sequence[int] | None = None

    def __str__(self) -> str:
        cameras = '' if self.cameras is None else f' of one of the cameras {list(self.cameras)}'
        return _NOUNS[self.modality] + cameras

    def accepts(self, row: dict) -> bool:
        """Whether an image, a row of a data list, is of this kind."""
        right_camera = self.cameras is None or row['camera_id'] in self.cameras
        return right_camera and self.modality in (None, row['modality'])


def load_split(cfg: Config, split: str) -> BaseReIDDataset:
    """The images of a config's test or training data, as the test pipeline loads them.

    Args:
        cfg: The config.
        split: ``'test'`` or ``'train'``.

    Raises:
        ValueError: If the test data contradict what the config's model was trained on.
    """
    pipeline = cfg.test_dataloader.dataset.pipeline
    dataset = cfg[f'{split}_dataloader'].dataset
    dataset = DATASETS.build(dict(dataset, pipeline=pipeline, cache=None))
    if split == 'test':
        check_trained_on(dataset, cfg.get('trained_on'), 'the checkpoint')
    return dataset


def keep_images(
    dataset: BaseReIDDataset, person_ids: Sequence[int] | None, cameras: Sequence[int] | None
) -> None:
    """Leave out the images of all other people and cameras, in place.

    Args:
        dataset: Any data set.
        person_ids: Whose images stay; ``None`` for everyone's.
        cameras: Whose images stay; ``None`` for all.

    Raises:
        ValueError: If there is no such person or camera, or no image is left.
    """
    rows = _list_rows(dataset)
    known = {row['person_id'] for row in rows}
    _check_known('keep_images', 'person_ids', person_ids, known, brief_list)
    _check_known('keep_images', 'cameras', cameras, {row['camera_id'] for row in rows})
    kind = ImageKind(cameras=cameras)
    kept = [
        index
        for index, row in enumerate(rows)
        if kind.accepts(row) and (person_ids is None or row['person_id'] in person_ids)
    ]
    if not kept:
        raise InvalidValueError(
            f'keep_images: `cameras` is {cameras}, expected some that saw one of `person_ids`, '
            f'{person_ids}.'
        )
    dataset.get_subset_(kept)


def choose_images(
    dataset: BaseReIDDataset,
    kinds: Sequence[ImageKind],
    person_ids: Sequence[int] | None,
    num_ids: int,
    rng: np.random.Generator,
    besides: Collection[int] = (),
) -> list[tuple[int, ...]]:
    """Choose people, and draw an image of every kind of each.

    Args:
        dataset: Where to look.
        kinds: What a person needs an image of.
        person_ids: Whom to take; ``None`` draws people who have all kinds.
        num_ids: How many to draw; all if there are fewer.
        rng: Draws people and images.
        besides: People who are not drawn; they may still be asked for.

    Returns:
        Positions of the images of each person, in the order of ``person_ids``, or ascending.

    Raises:
        ValueError: If a camera or a person has no such image, or nobody is left to draw.
    """
    rows = _list_rows(dataset)
    for kind in kinds:
        same_modality = ImageKind(kind.modality)
        known = {row['camera_id'] for row in rows if same_modality.accepts(row)}
        _check_known('choose_images', 'cameras', kind.cameras, known)
    people = {row['person_id']: [[] for _ in kinds] for row in rows}
    for index, row in enumerate(rows):
        for kind, images in zip(kinds, people[row['person_id']]):
            if kind.accepts(row):
                images.append(index)
    fitting = sorted(person_id for person_id, images in people.items() if all(images))
    wanted = ' and '.join(map(str, kinds))
    if person_ids is None:
        person_ids = _draw_people(sorted({*fitting} - {*besides}), num_ids, rng, wanted)
    for person_id in person_ids:
        if person_id not in fitting:
            raise InvalidValueError(
                f'choose_images: `person_ids` has {person_id}, expected people with {wanted}: '
                f'{brief_list(fitting) or "there is none"}. Of {person_id} there is '
                f'{_describe_images(rows, person_id)}.'
            )
    return [tuple(int(rng.choice(images)) for images in people[i]) for i in person_ids]


def make_caption(sample: ReIDDataSample) -> str:
    """Who is seen by which camera, in a few letters."""
    return f'id {sample.person_id}, cam {sample.camera_id}'


def _list_rows(dataset: BaseReIDDataset) -> list[dict]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _check_known(
    function: str,
    argument: str,
    wanted: Sequence[int] | None,
    known: Collection[int],
    shown: Callable[[list[int]], str] = str,
) -> None:
    unknown = sorted(set(wanted or ()) - set(known))
    if unknown:
        raise InvalidValueError(
            f'{function}: `{argument}` has {unknown}, expected some of {shown(sorted(known))}.'
        )


def _draw_people(
    candidates: list[int], num_ids: int, rng: np.random.Generator, wanted: str
) -> list[int]:
    if not candidates:
        raise InvalidValueError(
            f'choose_images: nobody with {wanted} is left to draw. Draw fewer people '
            '(--num-ids), or name people and cameras.'
        )
    drawn = rng.choice(candidates, min(num_ids, len(candidates)), replace=False)
    return np.sort(drawn).tolist()


def _describe_images(rows: list[dict], person_id: int) -> str:
    """Cameras of someone's images by modality."""
    parts = []
    for modality in MODALITIES:
        cameras = {
            row['camera_id']
            for row in rows
            if (row['person_id'], row['modality']) == (person_id, modality)
        }
        parts.append(f'{modality} by the cameras {sorted(cameras)}' if cameras else '')
    return ' and '.join(filter(None, parts)) or 'no image'
