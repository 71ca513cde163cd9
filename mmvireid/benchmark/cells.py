"""One cell of the benchmark: a config under some rules, with a seed."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from mmengine.config import Config

from mmvireid.engine.run_settings import config_settings, no_numbers
from mmvireid.engine.runner import drop_helpers, merge_options, read_config
from mmvireid.engine.runner.config_check import places_in
from mmvireid.errors import InvalidValueError

FRAGMENTS = Path(__file__).resolve().parents[2] / 'configs' / '_base_' / 'benchmark'
#: What is laid over a config, by the name of the rules and of the data set's size.
RULES = dict(published=None, equal='equal_terms.py')
SIZES = dict(small=None, benchmark='larger_set.py')
#: Settings that change no figure.
_SILENT = re.compile(no_numbers(r'\w+_dataloader') + r' | randomness\.seed', re.VERBOSE)


@dataclass(frozen=True)
class Cell:
    """A training and a test.

    Args:
        config: Path of the config file, relative to the clone.
        rules: ``'published'``, the config as it stands, or ``'equal'``, see
            ``configs/_base_/benchmark/equal_terms.py``.
        size: Of the rendered data: ``'small'``, or ``'benchmark'``, see ``larger_set.py`` there.
        seed: Of the training.
        variant: Name of an experiment that is no row of a table.
        options: What the experiment changes, by dotted names.

    Raises:
        ValueError: If rules or size are unknown, or options have no name.

    Example:
        >>> Cell('configs/mso/mso_synthetic.py', 'equal', seed=2).name
        'mso_synthetic.equal.small.seed2'
    """

    config: str
    rules: str = 'published'
    size: str = 'small'
    seed: int = 0
    variant: str = ''
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, allowed in (('rules', RULES), ('size', SIZES)):
            if getattr(self, name) not in allowed:
                raise InvalidValueError(
                    f'Cell: `{name}` is {getattr(self, name)!r}, expected one of {[*allowed]}.'
                )
        if self.options and not self.variant:
            raise InvalidValueError(
                f'Cell: `variant` is empty, with the options {dict(self.options)}, expected a '
                'name: what differs from a config is no row of its table.'
            )

    @property
    def name(self) -> str:
        """What its files are called."""
        parts = [Path(self.config).stem, self.variant, self.rules, self.size, f'seed{self.seed}']
        return re.sub(r'[^\w.+-]', '_', '.'.join(filter(None, parts)))

    def to_json(self) -> str:
        """All of it as a text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote."""
        return cls(**json.loads(text))


def final_config(cell: Cell) -> Config:
    """The config that a cell trains and tests: read, rules and size laid over it, seed set.

    Raises:
        FileNotFoundError, KeyError, ValueError: If the file, an option or a key is not what it
            should be; if the rules cannot be laid over it.
    """
    cfg = read_config(cell.config)
    for name in filter(None, (SIZES[cell.size], RULES[cell.rules])):
        fragment = Config.fromfile(FRAGMENTS / name)
        drop_helpers(fragment)
        lay_over(cfg, fragment.to_dict())
    if cell.options:
        merge_options(cfg, cell.options)
    cfg.randomness = dict(cfg.get('randomness') or {}, seed=cell.seed)
    return cfg


def lay_over(cfg: Config, fragment: dict) -> None:
    """Change a config by a fragment, in place.

    Args:
        cfg: Any config of a method.
        fragment: Parts of a config, and what no config has: ``where_present`` (options that count
            only where the config has their key), ``longer_epochs`` (a factor) and ``images_seen``
            (images in all batches of the training together).
    """
    where_present = fragment.pop('where_present', {})
    factor, images = fragment.pop('longer_epochs', 1), fragment.pop('images_seen', None)
    old_size = tuple(cfg.train_dataloader.dataset.pipeline[0]['size'])
    present = {key: value for key, value in where_present.items() if _has(cfg, key)}
    merge_options(cfg, fragment | present)
    new_size = tuple(cfg.train_dataloader.dataset.pipeline[0]['size'])
    for _, part in places_in(cfg.model, 'model'):
        for key in ('size', 'input_size'):
            if isinstance(part, dict) and _is_size(part.get(key), old_size):
                part[key] = new_size
    sampler = cfg.train_dataloader.batch_sampler
    sampler.num_batches = round(sampler.num_batches * factor)
    if images is not None:
        in_an_epoch = images / cfg.train_cfg.max_epochs
        sampler.num_batches = round(in_an_epoch / cfg.train_dataloader.batch_size)


def _has(cfg: Config, key: str) -> bool:
    node = cfg
    for part in key.split('.'):
        node = node.get(part) if isinstance(node, dict | Config) else None
    return node is not None


def _is_size(value: Any, size: tuple) -> bool:
    return isinstance(value, list | tuple) and tuple(value) == size


def config_hash(cfg: Config) -> str:
    """A short name for all settings that figures hang on, but the seed.

    Args:
        cfg: From :func:`final_config`.
    """
    parts = {f'{part}_{kind}': cfg.get(f'{part}_{kind}') for part, kind in _TEST_PARTS}
    found = config_settings(cfg.to_dict(), parts)
    counting = {name: value for name, value in found.items() if not _SILENT.fullmatch(name)}
    return sha256(json.dumps(counting, sort_keys=True, default=str).encode()).hexdigest()[:12]


_TEST_PARTS = (('test', 'dataloader'), ('test', 'evaluator'))
