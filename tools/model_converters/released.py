"""Turn released checkpoints into one that a config of ours loads strictly.

``python tools/model_converters/released.py METHOD IN [IN ...] OUT``

A release may keep its networks in several files. Of most releases the names are known: the file has
to give all that the model has, what else it registers is dropped and counted, and a file of another
release is refused, with that one's name. One that is not of its method's usual network needs
``--config``. Of Hi-CMD, AlignGAN and DNS networks are known, and not all names: they are found by
their layers, and two that look alike (of the two modalities) by words in their names, such as
``rgb`` and ``ir``, or ``a`` and ``b``, the first for visible images. Printed is what was taken for
what: check it, and say what is meant with ``--part OURS=NAME`` where it is wrong or not found
(``NAME,NAME`` if it has several parts there). Parts that features do not need stay as they are
initialised where they are not found.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine.registry import init_default_scope

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis.released_weights import (
    Conversion,
    convert_by_layers,
    convert_strictly,
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


def build_state(config: str, device: str, num_ids: int | None = None) -> dict[str, torch.Tensor]:
    """Names, shapes and, but on ``'meta'``, initial values of a config's model."""
    cfg = read_config(config, None if num_ids is None else dict(num_ids=num_ids))
    init_default_scope(cfg.get('default_scope', 'mmvireid'))
    torch.manual_seed(0)
    with torch.device(device):
        return MODELS.build(cfg.model).state_dict()


def convert(args: argparse.Namespace, released: Mapping[str, torch.Tensor]) -> Conversion:
    """Convert the weights of a command line's files."""
    release = RELEASES[args.method]

    def state_of(other: Release, num_ids: int) -> dict[str, torch.Tensor]:
        config = args.config if other is release else str(CONFIGS / other.config)
        return build_state(config, 'cpu' if other.idle else 'meta', num_ids)

    if release.names:
        source = ' and '.join(args.files[:-1])
        return convert_strictly(args.method, released, state_of, source)
    named = {
        ours: names.split(',') for ours, _, names in (part.partition('=') for part in args.part)
    }
    return convert_by_layers(release, released, build_state(args.config, 'cpu'), named)


def examples(names: Sequence[str]) -> str:
    """The first of some names."""
    return ': ' * bool(names) + ', '.join(names[:3]) + ', ...' * (len(names) > 3)


def report(
    args: argparse.Namespace, released: Mapping[str, torch.Tensor], found: Conversion
) -> None:
    """Print what became of what."""
    release, out = RELEASES[args.method], args.files[-1]
    count = sum(value.numel() for value in found.weights.values()) / 1e6
    num_ids = len(found.weights[f'{release.classifier}.weight'])
    names = {None: 'not found', '': 'the whole file'}
    rows = [[name, names.get(source, source)] for name, source in found.sources.items()]
    if rows:
        print(align_rows([['part', 'found as'], *rows]), end='\n\n')
    print(f'{out}: {len(found.weights)} tensors, {count:.2f} M values, {num_ids} identities.')
    print(f'{len(found.dropped)} tensors of the release dropped{examples(found.dropped)}.')
    dropped, whole = (
        sum(released[name].numel() for name in names) / 1e6 for names in (found.dropped, released)
    )
    print(f'These are {dropped:.2f} of the {whole:.2f} M values of the release.')
    print(f'{len(found.initial)} of ours left as initialised{examples(found.initial)}.')
    print(f'Evaluate {args.config} with {release.num_ids}={num_ids}.')


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
    out = args.files[-1]
    args.config = args.config or str(CONFIGS / RELEASES[args.method].config)
    with clear_errors('released'):
        check_output(out)
        released = read_released(args.files[:-1])
        found = convert(args, released)
        with new_file(out) as draft:
            torch.save(dict(state_dict=found.weights, meta={}), draft)
    report(args, released, found)


if __name__ == '__main__':
    main()
