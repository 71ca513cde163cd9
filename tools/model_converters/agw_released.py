"""Turn a released AGW checkpoint into one that ``configs/agw/agw_sysu.py`` loads strictly.

``python tools/model_converters/agw_released.py sysu_agw.t agw_sysu.pth``
"""

import argparse
import re
from collections import OrderedDict

import torch
from torch import Tensor

from mmvireid.engine.runner import clear_errors
from mmvireid.errors import InvalidValueError
from mmvireid.utils import load_checkpoint, steady_screen

#: Non-local blocks of the release: its list index -> residual block that ours stand behind.
NON_LOCAL_BLOCKS = {'2': {'0': 2, '1': 3}, '3': {'0': 3, '1': 4, '2': 5}}
_NON_LOCAL_PARTS = {'g.0': 'g', 'theta': 'theta', 'phi': 'phi', 'W.0': 'out', 'W.1': 'bn'}
_PREFIXES = {
    r'visible_module\.visible\.(conv1|bn1)\.': r'backbone.stems.visible.\1.',
    r'thermal_module\.thermal\.(conv1|bn1)\.': r'backbone.stems.infrared.\1.',
    r'base_resnet\.base\.(layer[1-4])\.': r'backbone.trunk.\1.',
    r'bottleneck\.': 'neck.bn.',
    r'classifier\.': 'head.classifier.',
}
_NON_LOCAL = re.compile(r'NL_([23])\.(\d)\.(g\.0|theta|phi|W\.0|W\.1)\.(.+)')


def rename(key: str) -> str | None:
    """Our name of a released weight, ``None`` for a dead copy that the release never used."""
    key = key.removeprefix('module.')
    found = _NON_LOCAL.fullmatch(key)
    if found:
        layer, index, part, leaf = found.groups()
        block = NON_LOCAL_BLOCKS[layer][index]
        return f'backbone.trunk.layer{layer}.non_local_{block}.{_NON_LOCAL_PARTS[part]}.{leaf}'
    for pattern, replacement in _PREFIXES.items():
        if re.match(pattern, key):
            return re.sub('^' + pattern, replacement, key)
    return None


def convert(released: dict) -> tuple[OrderedDict[str, Tensor], list[str]]:
    """Rename the weights of a released checkpoint.

    Args:
        released: The file's content: the weights under ``net``, or the weights themselves.

    Returns:
        The weights under our names, and the names of the dead ones that were left out.

    Raises:
        ValueError: If there is no AGW network in it.
    """
    weights = released.get('net', released)
    names = {key: rename(key) for key in weights}
    kept = OrderedDict((name, weights[key]) for key, name in names.items() if name is not None)
    if 'head.classifier.weight' not in kept:
        raise InvalidValueError(
            f'convert: `released` has the keys {sorted(weights)[:3]} ..., expected an AGW '
            'checkpoint of the Cross-Modal-Re-ID-baseline with `classifier.weight`.'
        )
    return kept, [key for key, name in names.items() if name is None]


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('source', metavar='IN.t', help='released checkpoint')
    parser.add_argument('target', metavar='OUT.pth', help='where the converted one goes')
    args = parser.parse_args(argv)
    with clear_errors('agw_released'):
        kept, dropped = convert(load_checkpoint(args.source, key='source'))
        torch.save(dict(state_dict=kept, meta={}), args.target)
    count = sum(kept[key].numel() for key in kept) / 1e6
    num_ids = len(kept['head.classifier.weight'])
    print(f'{args.target}: {len(kept)} tensors, {count:.2f} M values, {num_ids} identities.')
    print(f'{len(dropped)} tensors dropped: copies of ResNet-50 that the release never uses.')
    print(f'Evaluate with model.head.num_ids={num_ids} (agw_sysu.py has 395).')


if __name__ == '__main__':
    main()
