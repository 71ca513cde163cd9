"""Turn released checkpoints into one that a config of ours loads strictly.

``python tools/model_converters/released.py METHOD IN [IN ...] OUT``

A release may keep its networks in several files. AGW's names are known. Of Hi-CMD and AlignGAN the
networks are known, and not their names: networks are found by their layers, and two that look alike
(of the two modalities) by words in their names, such as ``rgb`` and ``ir``, or ``a`` and ``b``, the
first for visible images. Printed is what was taken for what: check it, and say what is meant with
``--part OURS=NAME`` where it is wrong or not found (``NAME,NAME`` if it has several parts there).
Parts that features do not need stay as they are initialised where they are not found.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.registry import init_default_scope

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis.released_weights import (
    Conversion,
    convert_by_layers,
    convert_by_names,
    flatten_weights,
)
from mmvireid.apis.releases import RELEASES, Release
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors, read_config
from mmvireid.evaluation import align_rows
from mmvireid.registry import MODELS
from mmvireid.storage import check_output, load_checkpoint, new_file

CONFIGS = Path(__file__).parents[2] / 'configs'


def read_released(paths: Sequence[str]) -> dict[str, torch.Tensor]:
    """All tensors of some files; of several files, by the file's name too."""
    found = {}
    for path in paths:
        content = load_checkpoint(path, key='source')
        content = content if isinstance(content, dict) else {}
        found |= flatten_weights(content, Path(path).stem if len(paths) > 1 else '')
    return found


def build_state(config: str) -> dict[str, torch.Tensor]:
    """Names and initial values of a config's model; nothing is downloaded."""
    cfg = read_config(config)
    init_default_scope(cfg.get('default_scope', 'mmvireid'))
    torch.manual_seed(0)
    return MODELS.build(cfg.model).state_dict()


def convert(release: Release, args: argparse.Namespace) -> Conversion:
    """Convert the files of a command line."""
    released = read_released(args.files[:-1])
    if release.names:
        return convert_by_names(release, released)
    named = {
        ours: names.split(',') for ours, _, names in (part.partition('=') for part in args.part)
    }
    return convert_by_layers(release, released, build_state(args.config), named)


def examples(names: Sequence[str]) -> str:
    """The first of some names."""
    return ': ' * bool(names) + ', '.join(names[:3]) + ', ...' * (len(names) > 3)


def report(release: Release, found: Conversion, out: str, config: str) -> None:
    """Print what became of what."""
    count = sum(value.numel() for value in found.weights.values()) / 1e6
    num_ids = len(found.weights[f'{release.classifier}.weight'])
    names = {None: 'not found', '': 'the whole file'}
    rows = [[name, names.get(source, source)] for name, source in found.sources.items()]
    if rows:
        print(align_rows([['part', 'found as'], *rows]), end='\n\n')
    print(f'{out}: {len(found.weights)} tensors, {count:.2f} M values, {num_ids} identities.')
    print(f'{len(found.dropped)} tensors of the release dropped{examples(found.dropped)}.')
    print(f'{len(found.initial)} of ours left as initialised{examples(found.initial)}.')
    print(f'Evaluate {config} with {release.num_ids}={num_ids}.')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('method', choices=RELEASES)
    parser.add_argument('files', nargs='+', metavar='IN [IN ...] OUT', help='the last is written')
    parser.add_argument('--config', help='config of ours that takes the weights')
    parser.add_argument(
        '--part', action='append', default=[], metavar='OURS=NAME', help='may be given again'
    )
    args = parser.parse_args(argv)
    if len(args.files) < 2 or any('=' not in part for part in args.part):
        parser.error('expected IN, OUT, and --part OURS=NAME.')
    release, out = RELEASES[args.method], args.files[-1]
    args.config = args.config or str(CONFIGS / release.config)
    with clear_errors('released'):
        check_output(out)
        found = convert(release, args)
        with new_file(out) as draft:
            torch.save(dict(state_dict=found.weights, meta={}), draft)
    report(release, found, out, args.config)


if __name__ == '__main__':
    main()
