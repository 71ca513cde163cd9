"""A run's work dir, read for a report: plain data, nothing of it is executed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmvireid.apis.run_record import RECORD
from mmvireid.errors import InvalidValueError, MissingFileError, Refusal
from mmvireid.evaluation import FeatureSet, RetrievalSetting, SettingResult, find_protocol
from mmvireid.evaluation.query_results import QueryResults, digest, load_queries
from mmvireid.pictures import read_image
from mmvireid.reports.curves import LOG, SCALARS, Curves, read_curves
from mmvireid.storage import read_text

_REPORT = '_report.json'
_BELOW = 'vis_data/vis_image/*.png'
_PICTURES = f'*/{_BELOW}'
#: What makes results.
_TEST = 'tools/test.py CONFIG CHECKPOINT --work-dir {folder}'


@dataclass
class Tested:
    """What a test has left.

    Args:
        path: Its ``<protocol>_report.json``.
        provenance: Where the figures come from.
        results: Figures by setting, without single queries.
        setting: Name of the setting that is looked at closely; ``None`` for the first.
        data_root: Folder that the names of the images start from; ``None`` where the test read
            them.
        missing: Rows of the features whose images were asked for, and are not there.
    """

    path: Path
    provenance: dict
    results: dict[str, SettingResult]
    setting: str | None = None
    data_root: Path | None = None
    missing: set[int] = field(default_factory=set)

    @cached_property
    def queries(self) -> tuple[dict[str, QueryResults], dict]:
        """What every query got, by setting, and what is known about it.

        Raises:
            FileNotFoundError, ValueError: If there is no such file, or it cannot be read.
        """
        return load_queries(str(self.path).removesuffix(_REPORT) + '_queries.npz')

    @property
    def looked_at(self) -> tuple[str, QueryResults]:
        """The setting that is looked at closely, and what its queries got.

        Raises:
            ValueError: If there is no such setting.
        """
        queries, _ = self.queries
        name = self.setting or next(iter(queries))
        if name not in queries:
            raise InvalidValueError(
                f'report: `setting` is {name!r}, expected one of {[*queries]} of {self.path}.'
            )
        return name, queries[name]

    @cached_property
    def features(self) -> FeatureSet:
        """The features, where they were saved.

        Raises:
            FileNotFoundError, ValueError: If they were not, or are others by now.
        """
        folder, saved = self.path.parent, self.provenance.get('features')
        command = f'{_TEST.format(folder=folder)} --save-features {folder}/features.npz'
        if not saved:
            raise MissingFileError(f'No features were saved: {command} does that.')
        places = [Path(saved), folder / Path(saved).name]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise MissingFileError(f'The features are no longer in {saved}: {command}.')
        written_by = FeatureSet.load_source(path).get('checkpoint')
        if written_by != self.provenance.get('checkpoint'):
            raise InvalidValueError(
                f'The features in {path} are of {written_by}, the results of '
                f'{self.provenance.get("checkpoint")}: {command}.'
            )
        return FeatureSet.load(path)

    @cached_property
    def retrieval(self) -> RetrievalSetting:
        """The setting that is looked at closely, as rows of the features.

        Raises:
            ValueError: If the features are not those of the results.
        """
        name, asked = self.looked_at
        kind = find_protocol(self.provenance['protocol'])
        names = [f.name for f in fields(kind) if f.init and f.name in self.provenance]
        options = {name: self.provenance[name] for name in names}
        found = {s.name: s for s in kind(**options).settings(self.features)}
        if name not in found:
            raise InvalidValueError(
                f'Ranked lists are drawn of features as they are, {name} is of others: choose '
                f'--setting {next(iter(found))} or the like.'
            )
        names = self.features.names
        galleries = digest([names[rows] for rows in found[name].galleries])
        queries = np.sort(names[found[name].all_queries])
        if galleries != asked.galleries or not np.array_equal(queries, asked.names):
            raise InvalidValueError(
                f'The features in {self.provenance["features"]} are of other images than '
                f'{self.path}: a later test has written them. Test again.'
            )
        return found[name]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The features' rows by the names of the images."""
        return {str(name): row for row, name in enumerate(self.features.names)}

    def picture(self, row: int) -> np.ndarray | None:
        """An image of the test split, uint8 BGR, shape (h, w, 3); ``None`` if it is not there.

        Raises:
            FileNotFoundError: If the whole folder is not here.
        """
        root = self.root
        try:
            path = (root / str(self.features.names[row])).resolve()
            if path.is_relative_to(root):
                return read_image(str(path))
        except (OSError, ValueError):
            pass
        self.missing.add(row)
        return None

    @cached_property
    def root(self) -> Path:
        """The folder that the names of the images start from.

        Raises:
            FileNotFoundError: If it is not here.
        """
        root = Path(self.data_root or self.provenance.get('data_root') or 'unknown').resolve()
        if not root.is_dir():
            raise MissingFileError(f'The images are not in {root}: --data-root DIR says where.')
        return root


@dataclass
class Run:
    """What a training and its tests have left in a work dir.

    Args:
        folder: The work dir.
        name: What it is called.
        records: What each start of the training says of itself, the oldest first; none of before
            it began anew.
        curves: Of the training; ``None`` where there is none.
        tests: By the protocol.
        generated: Pictures of what a generator made, the oldest first.
        notes: What could not be read.
    """

    folder: Path
    name: str
    records: list[dict]
    curves: Curves | None
    tests: list[Tested]
    generated: list[Path]
    notes: list[str]

    @property
    def record(self) -> dict:
        """What the last start of the training says; empty if there is none."""
        return self.records[-1] if self.records else {}

    @property
    def test(self) -> Tested:
        """The test whose images are looked at.

        Raises:
            FileNotFoundError: If there is none.
        """
        if not self.tests:
            command = _TEST.format(folder=self.folder)
            raise MissingFileError(f'There are no results: {command} --save-features FILE.npz.')
        return next((test for test in self.tests if test.setting in test.results), self.tests[0])


def names_of(folders: Sequence[str | Path]) -> list[str]:
    """What runs are called: their folders' names where these differ, else the folders.

    Example:
        >>> names_of(['a/agw', 'b/mso']), names_of(['a/agw', 'b/agw'])
        (['agw', 'mso'], ['a/agw', 'b/agw'])
    """
    names = [Path(folder).resolve().name for folder in folders]
    return names if len({*names}) == len(names) else [str(Path(folder)) for folder in folders]


def read_run(
    folder: str | Path,
    name: str,
    setting: str | None = None,
    data_root: str | Path | None = None,
) -> Run:
    """Read a work dir.

    What is damaged is left out, and said in ``notes``.

    Args:
        folder: The work dir of ``tools/train.py``, ``tools/test.py`` or both.
        name: What the run is called.
        setting: As in :class:`Tested`.
        data_root: Likewise.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is no work dir, or no test in it has the setting.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(
            f'read_run: `folder` is {str(folder)!r}, which is not a folder.{_nearby(folder)}'
        )
    if not _is_run(folder):
        raise InvalidValueError(
            f'read_run: `folder` is {str(folder)!r}, expected a work dir of tools/train.py or '
            f'tools/test.py, which has {SCALARS} or *{_REPORT}.{_nearby(folder)}'
        )
    notes = []
    records = _read_each(sorted(folder.glob(f'*/{RECORD}')), _read_json, notes)
    tests = _read_each(sorted(folder.glob(f'*{_REPORT}')), _read_test, notes)
    for test in tests.values():
        test.setting, test.data_root = setting, data_root
    known = [setting for test in tests.values() for setting in test.results]
    if setting and known and setting not in known:
        raise InvalidValueError(
            f'read_run: `setting` is {setting!r}, expected one of {known} of {folder}.'
        )
    starts = {path.parent: record for path, record in records.items()}
    try:
        curves = read_curves(folder, starts)
        notes += curves.damaged
    except Refusal:
        curves = None
    return Run(
        folder, name, _of_one_training(starts), curves, [*tests.values()],
        _generated(folder, starts), notes,
    )  # fmt: skip


def _of_one_training(starts: Mapping[Path, dict]) -> list[dict]:
    """The records of the starts that have logged anything, from the last one at the beginning."""
    logged = [record for start, record in starts.items() if (start / LOG).is_file()]
    records = logged or [*starts.values()]
    anew = [place for place, record in enumerate(records) if not record.get('begins_at')]
    return records[max(anew, default=0) :]


def _is_run(folder: Path) -> bool:
    """Whether a training or a test has left anything in a folder."""
    return any(any(folder.glob(left)) for left in (SCALARS, f'*/{RECORD}', f'*{_REPORT}'))


def _nearby(path: Path) -> str:
    """The work dirs in a folder, or the one that a checkpoint or the folder of a start is in."""
    inside = sorted({path.parents[2].name for path in path.glob(f'*/{SCALARS}')})
    if inside:
        return f' It holds some: {", ".join(inside[:5])}.'
    around = path.parent
    return f' It lies in one: {around}.' if path.exists() and _is_run(around) else ''


def _read_each(paths: Sequence[Path], read: Callable[[Path], Any], notes: list[str]) -> dict:
    """What can be read, by its file."""
    found = {}
    for path in paths:
        try:
            found[path] = read(path)
        except (ValueError, LookupError, TypeError, OSError):
            notes.append(f'{path} is damaged, and left out.')
    return found


def _read_json(path: Path) -> dict:
    return dict(json.loads(read_text(path)))


def _read_test(path: Path) -> Tested:
    content = _read_json(path)
    results = {name: SettingResult.from_dict(value) for name, value in content['results'].items()}
    provenance = dict(content['provenance'])
    if not (results and isinstance(provenance['protocol'], str)):
        raise InvalidValueError('_read_test: there are no results, expected some.')
    return Tested(path, provenance, results)


def _generated(folder: Path, records: Mapping[Path, Mapping]) -> list[Path]:
    """Pictures of a generator, by the rule of :func:`read_curves`."""
    found = {}
    for start in sorted({path.parents[2] for path in folder.glob(_PICTURES)}):
        begin = records.get(start, {}).get('begins_at')
        if begin is not None:
            found = {key: path for key, path in found.items() if key[1] <= begin}
        found |= {_step_of(path): path for path in start.glob(_BELOW)}
    return [found[key] for key in sorted(found)]


def _step_of(path: Path) -> tuple[str, int]:
    """What is seen, and after how many iterations: ``generated_160.png``."""
    name, _, step = path.stem.rpartition('_')
    return (name, int(step)) if step.isdigit() else (path.stem, 0)
