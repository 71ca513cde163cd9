"""Command lines of the tools that look into trained models."""

import argparse
from pathlib import Path

from mmengine.device import get_device

from mmvireid.apis.inference import init_model
from mmvireid.models.base import BaseReID


def model_parser(description: str, others: str | None = None) -> argparse.ArgumentParser:
    """A parser with the arguments that name models.

    Args:
        description: Help text of the command, printed as it is.
        others: What is done with more models; ``None`` if the command takes one only.

    Returns:
        The parser with ``config``, ``checkpoint`` and, unless ``others`` is ``None``, ``--other``.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('checkpoint', help='checkpoint file, read without running code in it')
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
        models[name] = init_model(config, checkpoint, get_device())
    return models


def make_folder(path: str | Path) -> Path:
    """Make a folder for what a command writes, unless it is there.

    Raises:
        ValueError: If it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f'make_folder: `path` is {str(path)!r}, which cannot be made ({error.strerror}), '
            'expected a folder to write to.'
        ) from error
    return Path(path)
