"""Models by the names that the model index gives them."""

from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import yaml

from mmvireid.errors import MissingFileError, UnknownNameError

_PACKAGE = Path(__file__).resolve().parents[1]
#: Where ``model-index.yml`` and ``configs`` are: the clone, or what an installed copy carries.
FOLDERS = (_PACKAGE.parent, _PACKAGE / '.mim')
INDEX = 'model-index.yml'


class IndexedModel(NamedTuple):
    """A row of the model index.

    Args:
        config: Config file.
        weights: What it says of trained weights: a path or address, ``None`` if there are none.
    """

    config: str
    weights: str | None


def read_index() -> dict[str, IndexedModel]:
    """Every model of the index by its name.

    Raises:
        FileNotFoundError: If neither a clone nor an installed copy's files are there.

    Example:
        >>> Path(read_index()['agw_synthetic'].config).name
        'agw_synthetic.py'
    """
    root = next((folder for folder in FOLDERS if (folder / INDEX).is_file()), None)
    if root is None:
        raise MissingFileError(
            f'read_index: {INDEX} is in none of {", ".join(map(str, FOLDERS))}, expected a clone '
            'or a whole installation. Install the package again, or name a config file.'
        )
    models = {}
    for name in _read(root / INDEX)['Import']:
        for row in _read(root / name).get('Models', ()):
            models[row['Name']] = IndexedModel(str(root / row['Config']), row.get('Weights'))
    return models


def find_model(name: str) -> IndexedModel:
    """A model of the index.

    Args:
        name: Its name, such as ``'agw_synthetic'``.

    Raises:
        KeyError: If there is none; names the nearest.
    """
    models = read_index()
    if name not in models:
        stem = Path(name).name.removesuffix('.py')
        near = get_close_matches(stem, models, n=3, cutoff=0.3) or sorted(models)[:3]
        raise UnknownNameError(
            f'find_model: `model` is {name!r}, expected a config file, or a name of the model '
            f'index; near: {", ".join(near)}.'
        )
    return models[name]


def _read(path: Path) -> dict:
    return yaml.safe_load(path.read_text('utf-8'))
