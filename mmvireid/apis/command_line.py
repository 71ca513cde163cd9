"""Command lines of the tools that look into trained models."""

import argparse
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path

import cv2
import numpy as np
from mmengine.device import get_device

from mmvireid.apis.inference import init_model
from mmvireid.commands import CommandParser, OptionsAction, add_options_argument
from mmvireid.engine.runner import find_plugins
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.evaluation import BaseProtocol, FeatureSet, find_protocol
from mmvireid.models.base import BaseReID
from mmvireid.storage import check_output, new_file
from mmvireid.storage.files import probe_folder


def model_parser(description: str, others: str | None = None) -> argparse.ArgumentParser:
    """A parser with the arguments that name models.

    Args:
        description: Help text of the command, printed as it is.
        others: What is done with more models; ``None`` if the command takes one only.

    Returns:
        The parser with ``config``, ``checkpoint``, ``--cfg-options`` (for all models) and, unless
        ``others`` is ``None``, ``--other``.
    """
    parser = CommandParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('checkpoint', help='checkpoint file, read without running code in it')
    add_options_argument(parser)
    if others is not None:
        parser.add_argument(
            '--other',
            nargs=2,
            action='append',
            default=[],
            metavar=('CONFIG', 'CHECKPOINT'),
            help=f'another model, {others}; may be given again',
        )
    return parser


def add_picture_arguments(parser: argparse.ArgumentParser, out: str, num_ids: int) -> None:
    """Add the arguments that a picture of a few people's images needs.

    Args:
        parser: Gets ``--num-ids``, ``--seed``, ``--split`` and ``--out``.
        out: Default of ``--out``.
        num_ids: Default of ``--num-ids``.
    """
    parser.add_argument(
        '--num-ids', type=positive, default=num_ids, help='people to draw at random (%(default)s)'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the choice of images')
    add_split_argument(parser)
    add_out_argument(parser, out)


def add_split_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--split``, the images that a command looks at."""
    parser.add_argument('--split', choices=['test', 'train'], default='test', help='whose images')


def add_protocol_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--protocol``, and what a plugin's protocol needs: see :func:`protocol_of`."""
    parser.add_argument(
        '--protocol',
        required=True,
        help='sysu, regdb, llcm, csv (a table of your own), or one that a plugin has registered',
    )
    parser.add_argument(
        '--imports', nargs='+', default=[], metavar='MODULE', help='modules that register plugins'
    )
    parser.add_argument(
        '--protocol-options',
        nargs='+',
        action=OptionsAction,
        default={},
        metavar='KEY=VALUE',
        help='arguments of the protocol, by their names in Python',
    )


def protocol_of(args: argparse.Namespace) -> type[BaseProtocol]:
    """The protocol of a command line, once the modules that register plugins are imported.

    Modules are found as ``custom_imports`` of a config are, from the current folder.

    Raises:
        ValueError: If a module does not exist.
        KeyError: If the protocol does not exist; names the nearest.
    """
    find_plugins()
    for module in args.imports:
        if find_spec(module.split('.')[0]) is None:
            raise InvalidValueError(
                f'protocol_of: --imports has {module!r}, expected a module that Python finds from '
                'the current folder.'
            )
        import_module(module)
    return find_protocol(args.protocol)


def add_out_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Add ``--out``, the picture that a command writes."""
    parser.add_argument('--out', type=picture_path, default=default, help='picture to write')


def positive(text: str) -> int:
    """Read a number of a command line that is at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of at least 1')
    return int(text)


def at_least_0(text: str) -> int:
    """Read a number of a command line that is at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of at least 0')
    return int(text)


def picture_path(text: str) -> str:
    """Read the path of a picture to write."""
    if Path(text).suffix.lower() not in ('.png', '.jpg'):
        raise argparse.ArgumentTypeError(f'{text!r} does not end as pictures do: .png or .jpg')
    return text


def check_methods(model: BaseReID, config: str, methods: Sequence[str], what: str) -> None:
    """Make sure that a model has the methods that a command needs.

    Args:
        model: Any model.
        config: Its config, for the message.
        methods: Their names, dotted for those of a part: ``'backbone.embed_stems'``.
        what: A model of which kind has them.

    Raises:
        TypeError: If one of them is missing.
    """
    if not all(_has(model, method) for method in methods):
        names = ', '.join(f'`{method}`' for method in methods)
        raise InvalidTypeError(
            f'check_methods: `config` is {config!r} of a {type(model).__name__}, expected a model '
            f'{what} ({names}).'
        )


def _has(model: BaseReID, method: str) -> bool:
    try:
        return callable(attrgetter(method)(model))
    except AttributeError:
        return False


def open_model(
    args: argparse.Namespace, methods: Sequence[str] = (), what: str = 'of any kind'
) -> BaseReID:
    """Build the one model of a command line, which has the methods that the command needs.

    Args:
        args: From a :func:`model_parser`.
        methods: As :func:`check_methods` takes them.
        what: Likewise.

    Returns:
        The model, on the GPU if there is one.

    Raises:
        TypeError: If it lacks one of the methods.
    """
    model = init_model(args.config, args.checkpoint, get_device(), args.cfg_options)
    check_methods(model, args.config, methods, what)
    return model


def open_features(path: str | Path, protocol: BaseProtocol) -> tuple[FeatureSet, dict]:
    """Read a features file for a protocol, and what it says about its source.

    Args:
        path: File that ``FeatureSet.load`` reads.
        protocol: What the features are for.

    Raises:
        ValueError: If the file cannot be read, or is of other data than the protocol's.
    """
    feature_set, source = FeatureSet.load(path), FeatureSet.load_source(path)
    protocol.check_data(source)
    return feature_set, source


def build_models(args: argparse.Namespace) -> dict[str, BaseReID]:
    """Build all models of a command line, so that a wrong one is known before any long work.

    Args:
        args: From a :func:`model_parser` with ``others``.

    Returns:
        The models, on the GPU if there is one, by the name of their config; where two configs
        share a name, the later one's has the checkpoint too.
    """
    models = {}
    for config, checkpoint in [(args.config, args.checkpoint), *args.other]:
        name = Path(config).stem
        name = f'{name} ({checkpoint})' if name in models else name
        models[name] = init_model(config, checkpoint, get_device(), args.cfg_options)
    return models


def make_folder(path: str | Path) -> Path:
    """Make a folder for what a command writes, unless it is there.

    Raises:
        ValueError: If it cannot be made, or not be written to.
    """
    try:
        probe_folder(path)
    except OSError as error:
        raise InvalidValueError(
            f'make_folder: `path` is {str(path)!r}, which cannot be made or written to '
            f'({error.strerror}), expected a folder to write to.'
        ) from error
    return Path(path)


def write_picture(path: str, picture: np.ndarray) -> None:
    """Write a picture, uint8 BGR (h, w, 3).

    Raises:
        ValueError: If it cannot be written.
    """
    check_output(path)
    _, data = cv2.imencode(Path(path).suffix, picture)
    with new_file(path) as draft:
        draft.write_bytes(data)
