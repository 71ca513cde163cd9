"""The curves of a training, however often it was interrupted."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from pathlib import Path

from mmvireid.errors import MissingFileError

#: What of a line of the log is no curve.
_NO_CURVES = ('time', 'data_time', 'memory', 'epoch', 'iter', 'step', 'base_lr')
#: Where each start of a training has its curves, and where they are below the work dir.
LOG = 'vis_data/scalars.json'
SCALARS = f'*/{LOG}'


@dataclass
class Curves:
    """Values by their names and the iterations after which they were logged.

    Args:
        training: ``{name: {iteration: value}}``, means over the last iterations, as in the log.
        validation: The same of results on the validation split.
        damaged: Lines that could not be read, such as the last one of a killed run.
    """

    training: dict[str, dict[int, float]] = field(default_factory=dict)
    validation: dict[str, dict[int, float]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @cached_property
    def steps(self) -> list[int]:
        """The iterations after which anything was logged of the training, ascending."""
        return sorted({step for points in self.training.values() for step in points})

    def kinds(self) -> dict[str, list[str]]:
        """Names of the training's curves by what they are: losses, rates, norms, all else."""
        found = {'loss': [], 'rate': [], 'gradient norm': [], 'other': []}
        for name in self.training:
            found[_kind(name)].append(name)
        return found


def _kind(name: str) -> str:
    last = name.rpartition('/')[2]
    if last == 'loss' or last.startswith('loss_'):
        return 'loss'
    if last == 'lr' or last.endswith('.lr'):
        return 'rate'
    return 'gradient norm' if last.endswith('grad_norm') else 'other'


def read_curves(folder: Path, records: Mapping[Path, Mapping]) -> Curves:
    """Read what a training has logged, all its starts as one.

    A start that goes on from iteration i takes the place of what was logged after i; one that
    begins anew, of all.

    Args:
        folder: The work dir.
        records: What each start says of itself, by the folder of the start; may lack some.

    Raises:
        FileNotFoundError: If there are none.
    """
    files = sorted(folder.glob(SCALARS))
    if not files:
        raise MissingFileError(
            f'There are no curves in {folder}: tools/train.py CONFIG --work-dir {folder} leaves '
            'them, with vis_backends=[dict(type="LocalVisBackend")], as is the default.'
        )
    curves = Curves()
    for path in files:
        lines = list(_lines(path, curves.damaged))
        _add_start(curves, lines, records.get(path.parents[1], {}))
    return curves


def _lines(path: Path, damaged: list[str]) -> Iterator[dict]:
    """The lines that can be read."""
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
        except ValueError:  # not UTF-8, too
            values = None
        if isinstance(values, dict) and isinstance(values.get('step'), int):
            yield values
        elif number == len(lines) and not line.endswith(b'\n'):  # being written, or never finished
            damaged.append(f'The last line of {path} is cut short, and left out.')
        elif line.strip():
            damaged.append(f'Line {number} of {path} is damaged, and left out.')


def _add_start(curves: Curves, lines: Sequence[dict], record: Mapping) -> None:
    """Add what one start has logged to what those before it have."""
    trained = [line for line in lines if 'iter' in line]
    if trained:
        begin = record.get('begins_at', trained[0]['step'] - 1)
        length = record.get('epoch_length')
        _drop(curves.training, begin)
        # the epoch that it goes on in is yet to be validated
        _drop(curves.validation, begin - begin % length if length else begin)
    at = 0
    for line in lines:
        if 'iter' in line:
            at = max(at, line['step'])
            _put(curves.training, at, line)
        else:
            _put(curves.validation, _position(line['step'], lines, record, at), line)


def _drop(series: dict[str, dict[int, float]], begin: int) -> None:
    for points in series.values():
        for step in [step for step in points if step > begin]:
            del points[step]


def _put(series: dict[str, dict[int, float]], step: int, line: Mapping) -> None:
    for name, value in line.items():
        is_value = isinstance(value, Real) and not isinstance(value, bool)
        if is_value and name.rpartition('/')[2].rpartition('.')[2] not in _NO_CURVES:
            series.setdefault(name, {})[step] = value


def _position(step: int, lines: Sequence[dict], record: Mapping, at: int) -> int:
    """The iterations before a validation, which may be logged by its epoch."""
    if record.get('epoch_length'):
        return step * record['epoch_length']
    if any('epoch' in line for line in lines):  # of a version without records: about there
        return max((x['step'] for x in lines if x.get('epoch', step + 1) <= step), default=at)
    return step
