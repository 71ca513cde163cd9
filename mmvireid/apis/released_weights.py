"""Weights of released networks, under our names.

Where the names of a release are known, a table renames them, and what it gives has to be all that
our model has, no less and of no other shape. Where only its networks are known, and
ours are equal to them, layers are told by what they look like: of all layers of a network that have
the same tensors, of the same shapes, the k-th becomes our k-th, whatever its name. So an order that
differs between layers of different kinds does no harm; one between layers of one kind would, and
cannot be seen.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mmvireid.apis.releases import RELEASES, WRAPPERS, Part, Release
from mmvireid.errors import InvalidValueError
from mmvireid.storage import check_state_dict

#: Tensors of a layer, by their names in a release: MUNIT's norm has others.
LEAVES = {key: key for key in ('weight', 'bias', 'running_mean', 'running_var')}
LEAVES |= dict(gamma='weight', beta='bias')
COUNTER = 'num_batches_tracked'
#: Name and shape of every tensor of a layer, and the layers of a network by name.
Layer = dict[str, tuple[str, tuple[int, ...]]]
Network = dict[str, Layer]
#: Our state dict of a release's config, by the number of identities; values may be missing.
StateOf = Callable[[Release, int], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Conversion:
    """Weights under our names, and what became of the release's.

    Attributes:
        weights: Tensors by our names.
        sources: What each part of ours was found as, ``None`` if it was not; empty for a table.
        dropped: Names of the release that nothing of ours stands for.
        initial: Our names that nothing of the release stands for, and features do not need.
    """

    weights: OrderedDict[str, Tensor]
    sources: dict[str, str | None]
    dropped: list[str]
    initial: list[str]


def flatten_weights(content: Mapping[str, Any], prefix: str = '') -> dict[str, Tensor]:
    """All tensors of nested dictionaries by dotted names.

    Args:
        content: What a file holds. What is no tensor, and what optimisers keep, is left out, and so
            is the ``module`` that wrappers for several GPUs put into names.
        prefix: Put before the names.

    Example:
        >>> list(flatten_weights({'a': {'module.w': torch.zeros(2)}, 'epoch': 3}, 'net'))
        ['net.a.w']
    """
    found = {}
    for key, value in content.items():
        name = '.'.join(part for part in f'{prefix}.{key}'.split('.') if part not in ('', 'module'))
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, Mapping) and all(isinstance(inner, str) for inner in value):
            found |= flatten_weights(value, name)
    return found


def convert_by_names(release: Release, released: Mapping[str, Tensor]) -> Conversion:
    """Rename tensors by a release's table of names.

    Args:
        release: With ``names``.
        released: From :func:`flatten_weights`.

    Raises:
        ValueError: If its classifier is not there.
    """
    kept, dropped = OrderedDict(), []
    for key, value in released.items():
        found = [
            (re.match(WRAPPERS + pattern, key), ours) for pattern, ours in release.names.items()
        ]
        start = next(((match, ours) for match, ours in found if match), None)
        if start is None:
            dropped.append(key)
        else:
            kept[start[0].expand(start[1]) + key[start[0].end() :]] = value
    if f'{release.classifier}.weight' not in kept:
        raise InvalidValueError(
            f'convert: `released` has the keys {sorted(released)[:3]} ..., expected '
            f'{release.title}.'
        )
    return Conversion(kept, {}, dropped, [])


def convert_strictly(
    method: str, released: Mapping[str, Tensor], state_of: StateOf, source: str
) -> Conversion:
    """Rename tensors by the table of a release, and make sure that the file is one of it.

    Args:
        method: Name of a release with ``names``.
        released: From :func:`flatten_weights`.
        state_of: Gives names and shapes of our model; ``release.idle`` ones with their values.
        source: Where the tensors come from, for the message.

    Raises:
        ValueError: If anything of ours is not there, or of another shape, or the table of another
            release takes more of the file and fits, too; names the releases that fit.
    """
    reason, found = '', None
    try:
        found = _fitted(method, released, state_of, source)
    except InvalidValueError as error:
        reason = f'{error} '
    least = 0 if found is None else len(released) - len(found.dropped)
    taken = {name: _count_taken(name, released, least, state_of) for name in RELEASES}
    most = max(taken.values())
    if found is not None and not most:
        return found
    if found is not None:
        reason = f'convert: {source} has more than {RELEASES[method].title}. '
    if most:
        fitting = ' and '.join(name for name, count in taken.items() if count == most)
        reason += f'It is what the release of {fitting} looks like.'
    raise InvalidValueError(reason.strip())


def _count_taken(name: str, released: Mapping[str, Tensor], least: int, state_of: StateOf) -> int:
    """How many tensors a release's table takes; 0 if not more than that, or it does not fit."""
    if not RELEASES[name].names:
        return 0
    try:
        count = len(released) - len(convert_by_names(RELEASES[name], released).dropped)
        if count > least:
            _fitted(name, released, state_of, name)
            return count
    except InvalidValueError:
        pass
    return 0


def _fitted(
    name: str, released: Mapping[str, Tensor], state_of: StateOf, source: str
) -> Conversion:
    """Tensors by our names, in our shapes, all of them."""
    release = RELEASES[name]
    found = convert_by_names(release, released)
    ours = state_of(release, len(found.weights[f'{release.classifier}.weight']))
    weights, initial = OrderedDict(found.weights), []
    for key, value in ours.items():
        if key in weights and _without_ones(weights[key]) == _without_ones(value):
            weights[key] = weights[key].reshape(value.shape)  # a convolution of 1 x 1 is a matrix
        elif key not in weights and key.endswith(COUNTER):
            weights[key] = torch.zeros((), dtype=torch.int64)  # older files do not count
        elif key not in weights and release.idle and re.match(release.idle, key):
            weights[key] = value
            initial.append(key)
    try:
        check_state_dict(ours, weights, source)
    except InvalidValueError as error:
        raise InvalidValueError(f'convert: expected {release.title}; {error}') from error
    return replace(found, weights=weights, initial=initial)


def _without_ones(value: Tensor) -> list[int]:
    return [size for size in value.shape if size != 1]


def convert_by_layers(
    release: Release,
    released: Mapping[str, Tensor],
    ours: Mapping[str, Tensor],
    named: Mapping[str, Sequence[str]] | None = None,
) -> Conversion:
    """Find a release's networks by their layers.

    Args:
        release: With ``parts``.
        released: From :func:`flatten_weights`.
        ours: State dict of our model. Gives names and shapes (but for the number of identities),
            and the values of parts that features do not need and that are not found.
        named: What our parts are called in the release, as beginnings of names, where the user
            knows it.

    Raises:
        ValueError: If a needed part is not found, or several networks look like it.
    """
    known = [name for part in release.parts for name in part.ours]
    if unknown := sorted({*(named or {})} - {*known}):
        raise InvalidValueError(f'convert: `named` has {unknown}, expected some of {known}.')
    finder = _Finder(release, released, ours)
    weights, sources, initial = OrderedDict(ours), dict.fromkeys(known), dict.fromkeys(ours)
    for part in release.parts:
        for name, (source, pairs) in finder.find(part, named or {}).items():
            sources[name] = source
            for mine, theirs in pairs.items():
                value = finder.left.pop(theirs)
                del initial[mine]
                weights[mine] = value.reshape(ours[mine].shape) if value.numel() == 1 else value
    initial = [key for key in initial if not key.endswith(COUNTER)]
    return Conversion(weights, sources, list(finder.left), initial)


class _Finder:
    """Finds our networks in a release, each of its networks once.

    Attributes:
        left: Tensors of the release that nothing was found to stand for.
    """

    def __init__(
        self, release: Release, released: Mapping[str, Tensor], ours: Mapping[str, Tensor]
    ) -> None:
        self.release, self.ours, self.left = release, ours, dict(released)
        self.networks = _networks(released)

    def find(
        self, part: Part, named: Mapping[str, Sequence[str]]
    ) -> dict[str, tuple[str, dict[str, str]]]:
        """What each network of a part is called, and its names by ours; empty if not found."""
        asked = {name: named[name] for name in part.ours if name in named}
        wanted = {
            name: _layers(_below([name], self.ours, part.without)) for name in asked or part.ours
        }
        wanted = {name: layers for name, layers in wanted.items() if layers}
        if not wanted:  # the config has no such part
            return {}
        given = {' and '.join(names): _below(names, self.left) for names in asked.values()}
        options = self.alike(next(iter(wanted.values())), given or self.networks)
        if len(options) > len(wanted):
            meant = [name for name, words in _telling(options) if re.search(part.named, words)]
            options = meant if len(meant) == len(wanted) else options
        if len(options) != len(wanted):
            if asked or part.needed:
                raise self.not_found(list(wanted), options)
            return {}
        return {
            name: (source, self.pair(layers, (given or self.networks)[source]))
            for (name, layers), source in zip(wanted.items(), options)
        }

    def pair(self, ours: Network, weights: Mapping[str, Tensor]) -> dict[str, str] | None:
        """Names of the release by ours, ``None`` if the layers are not of the same kinds."""
        left, pairs = _layers(weights), {}
        if len(left) != len(ours):
            return None
        classifier = self.release.classifier
        for name in sorted(ours, key=lambda name: name == classifier):  # it has any number of rows
            free = int(name == classifier)
            kind = _kind(ours[name], free)
            other = next((key for key, layer in left.items() if _kind(layer, free) == kind), None)
            if other is None:
                return None
            layer = left.pop(other)
            pairs |= {ours[name][leaf][0]: layer[leaf][0] for leaf in ours[name] if leaf in layer}
        return pairs

    def alike(self, ours: Network, networks: Mapping[str, Mapping[str, Tensor]]) -> list[str]:
        """Networks of the release that look like one of ours, without copies."""
        found = []
        for name, weights in networks.items():
            is_left = all(key in self.left for key in weights)
            if is_left and self.pair(ours, weights):
                copies = (networks[other].values() for other in found)
                if not any(all(map(torch.equal, weights.values(), copy)) for copy in copies):
                    found.append(name)
        return found

    def not_found(self, wanted: list[str], options: list[str]) -> InvalidValueError:
        found = 'nothing that looks'
        if options:
            found = f'{len(options)} networks ({", ".join(options)}) that look'
        return InvalidValueError(
            f'convert: `released` has the keys {sorted(self.left)[:3]} ... and {found} like '
            f'{", ".join(wanted)}, expected {self.release.title}, with {len(wanted)} of them. Say '
            f'what is meant: --part {wanted[0]}=NAME.'
        )


def _below(
    names: Sequence[str], weights: Mapping[str, Tensor], without: str | None = None
) -> dict[str, Tensor]:
    """The tensors whose names start with one of these and a dot, or are one of these."""
    starts = tuple(f'{name}.' for name in names)
    return {
        key: value
        for key, value in weights.items()
        if f'{key}.'.startswith(starts) and not (without and re.search(without, key))
    }


def _networks(weights: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Everything that has a name of its own, in order; of several names the shortest."""
    below = {}
    for key in weights:
        parts = key.split('.')
        for end in range(len(parts) + 1):
            below.setdefault('.'.join(parts[:end]), []).append(key)
    shortest = {}
    for prefix, keys in below.items():  # a shorter name of the same keys comes first
        shortest.setdefault(tuple(keys), prefix)
    return {prefix: {key: weights[key] for key in keys} for keys, prefix in shortest.items()}


def _telling(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each name, and the words of it in which the names differ if they have equally many.

    Example:
        >>> _telling(['gen_a.enc_a', 'gen_b.enc_a'])
        [('gen_a.enc_a', 'a'), ('gen_b.enc_a', 'b')]
    """
    words = [re.split(r'[._]', name) for name in names]
    if len({*map(len, words)}) > 1:
        return [(name, name) for name in names]
    differing = [column for column in zip(*words) if len({*column}) > 1]
    return [(name, '.'.join(row)) for name, row in zip(names, zip(*differing))]


def _layers(weights: Mapping[str, Tensor]) -> dict[str, Layer]:
    """The layers of a network; a number by itself is one too."""
    layers = {}
    for key, value in weights.items():
        layer, _, leaf = key.rpartition('.')
        is_number = value.numel() == 1 and (value.dim() == 0 or leaf not in LEAVES)
        if is_number and leaf != COUNTER:
            layers[key] = dict(number=(key, ()))
        else:
            layers.setdefault(layer, {})[LEAVES.get(leaf, leaf)] = key, tuple(value.shape)
    return layers


def _kind(layer: Layer, free: int) -> dict[str, tuple]:
    """Shapes of the tensors of a layer without the first dimensions; older files do not count."""
    return {leaf: shape[free:] for leaf, (_, shape) in layer.items() if leaf != COUNTER}
