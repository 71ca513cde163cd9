"""Several data sets as one, to train on the people of all of them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from os.path import realpath

from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.datasets.reading.training_data import shares_people
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.registry import DATASETS, TRANSFORMS

from .base_reid_dataset import BaseReIDDataset

#: What is said once, for all parts.
SHARED = ('pipeline', 'cache', 'heldout', 'on_unreadable', 'trained_elsewhere', 'lazy_init')


@DATASETS.register_module()
class JoinedReID(BaseReIDDataset):
    """Several data sets as one.

    ``person_id``, ``camera_id`` and labels are numbered anew, part after part and ascending in
    each, so nobody and no camera of one part is taken for one of another; ``name`` begins with the
    part's number (``'1/Visible/6/visible_00006_01.jpg'``), and so does a ``room``. Everything else
    is each part's own: its folder, cache, held-out people and unpaired people.

    ``metainfo`` names the data sets and splits of all parts, and has the metainfo of each under
    ``parts``: a model that was trained on them is tested on what fits one of them.

    Args:
        datasets: Configs of the parts, of registered :class:`BaseReIDDataset`. What is said here
            for all of them is not said there.
        pipeline: Transforms of all images, or their configs.
        cache: See :class:`BaseReIDDataset`; every part has its own.
        heldout: Whether these are the held-out people of all parts, or those left for training;
            ``num_heldout_ids`` stands in each part.
        on_unreadable: See :class:`BaseReIDDataset`.
        trained_elsewhere: See :class:`BaseReIDDataset`.
        lazy_init: Whether images are listed only when they are asked for.

    Raises:
        FileNotFoundError: As the parts.
        TypeError: If a part is no config of such a data set.
        ValueError: As the parts, or if there is none, one says what is said for all, some are to
            train on and some are not, or two show the same people or images.

    Example:
        >>> sysu = dict(type='SYSUMM01', data_root='data/sysu_mm01', split='trainval')
        >>> regdb = dict(type='RegDB', data_root='data/regdb', split='train')
        >>> JoinedReID([sysu, regdb]).metainfo['dataset']  # doctest: +SKIP
        'sysu_mm01 + regdb'
    """

    METAINFO = {'protocol': 'csv'}
    title = 'joined data sets'

    def __init__(
        self,
        datasets: Sequence[dict],
        pipeline: Sequence[dict | Callable] = (),
        cache: str | None = None,
        heldout: bool = False,
        on_unreadable: str = 'stop',
        trained_elsewhere: bool | Sequence[str] = False,
        lazy_init: bool = False,
    ) -> None:
        _check_configs(datasets)
        transforms = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline]
        shared = dict(cache=cache, heldout=heldout, on_unreadable=on_unreadable)
        options = dict(**shared, pipeline=transforms, lazy_init=True)
        self.parts = [DATASETS.build(dict(part, **options)) for part in datasets]
        super().__init__(
            ', '.join(str(part.data_root) for part in self.parts),
            ' + '.join(dict.fromkeys(part.split for part in self.parts)),
            pipeline=transforms,
            trained_elsewhere=trained_elsewhere,
            lazy_init=lazy_init,
            **shared,
        )

    @property
    def has_labels(self) -> bool:
        """Whether these images are there to train on."""
        return all(part.has_labels for part in self.parts)

    def load_data_list(self) -> list[dict]:
        """Rows of the data list; called by MMEngine."""
        listed = [part.load_data_list() for part in self.parts]
        self._check_apart(listed)
        rows, num_people, num_cameras = [], 0, 0
        for number, part_rows in enumerate(listed):
            people = _numbered(part_rows, 'person_id', num_people)
            cameras = _numbered(part_rows, 'camera_id', num_cameras)
            num_people, num_cameras = num_people + len(people), num_cameras + len(cameras)
            for row in part_rows:
                person_id = people[row['person_id']]
                row.update(
                    {key: f'{number}/{row[key]}' for key in ('name', 'room') if row.get(key)},
                    part=number,
                    person_id=person_id,
                    camera_id=cameras[row['camera_id']],
                    gt_label=person_id if self.has_labels else -1,
                )
            rows += part_rows
        self._metainfo.update(self._joined_metainfo(), num_ids=num_people)
        return rows

    def _joined_metainfo(self) -> dict:
        parts = [part.metainfo for part in self.parts]
        named = {
            key: ' + '.join(dict.fromkeys(part[key] for part in parts))
            for key in ('dataset', 'split')
        }
        size = {key: parts[0][key] for key in ('image_size',) if key in parts[0]}
        return named | size | dict(parts=parts)

    def _read(self, row: dict) -> dict:
        return self.parts[row.pop('part')]._read(row)

    def _check_arguments(self) -> None:
        """The parts have checked theirs."""
        if len({part.has_labels for part in self.parts}) > 1:
            splits = [f'{type(part).__name__} {part.split!r}' for part in self.parts]
            raise InvalidValueError(
                f'JoinedReID: `datasets` has the splits {brief_list(splits)}, expected all of them '
                'to train on, or none.'
            )

    def _check_apart(self, listed: Sequence[list[dict]]) -> None:
        """Refuse parts that show the same people, or the same files."""
        for (i, one), (j, other) in combinations(enumerate(self.parts), 2):
            if shares_people(one, other.metainfo):
                shown = f'{one.metainfo["dataset"]}, split {one.split!r}'
                raise InvalidValueError(
                    f'JoinedReID: `datasets[{i}]` and `datasets[{j}]` show the same people '
                    f'({shown}), expected different ones: each would have two labels.'
                )
        files = {}
        for number, (part, rows) in enumerate(zip(self.parts, listed)):
            root = realpath(part.data_root)
            for row in rows:
                first = files.setdefault(f'{root}/{row["name"]}', number)
                if first != number:
                    raise InvalidValueError(
                        f'JoinedReID: `datasets[{first}]` and `datasets[{number}]` both have '
                        f'{row["img_path"]}, expected other images.'
                    )


def _check_configs(datasets: Sequence[dict]) -> None:
    if not datasets:
        raise InvalidValueError('JoinedReID: `datasets` is empty, expected at least one data set.')
    for number, part in enumerate(datasets):
        name = part.get('type') if isinstance(part, Mapping) else part
        is_name = isinstance(part, Mapping) and isinstance(name, str)
        kind = DATASETS.get(name) if is_name else name
        fits = isinstance(part, Mapping) and isinstance(kind, type)
        if not fits or not issubclass(kind, BaseReIDDataset) or kind is JoinedReID:
            raise InvalidTypeError(
                f'JoinedReID: `datasets[{number}].type` is {name!r}, expected a data set of this '
                'package, or a BaseReIDDataset of your own, and no joined one.'
            )
        if said := [key for key in SHARED if key in part]:
            raise InvalidValueError(
                f'JoinedReID: `datasets[{number}].{said[0]}` is {part[said[0]]!r}, expected it to '
                'stand beside `datasets`, once for all of them.'
            )


def _numbered(rows: Sequence[dict], key: str, start: int) -> dict[int, int]:
    """New numbers by the old ones, ascending."""
    return {old: start + new for new, old in enumerate(sorted({row[key] for row in rows}))}
