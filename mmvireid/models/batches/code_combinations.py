"""Which images give the prototype, and which the style, of a combined code."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE

#: A fake looks like its modality and shows the person of the other one's image.
FAKE = {modality: f'fake_{modality}' for modality in MODALITIES}
#: A pair's images, real and fake.
IMAGES = (*MODALITIES, *FAKE.values())
#: Images that prototype and style are taken from, by way of sampling.
SAMPLINGS = dict(
    original=tuple((modality, modality) for modality in MODALITIES),
    alternate=tuple(
        sources
        for modality, fake in FAKE.items()
        for sources in itertools.product((modality, fake), repeat=2)
    ),
    all=tuple(itertools.product(IMAGES, repeat=2)),
)


class Combinations(NamedTuple):
    """R combined codes, as row numbers, int64 on the CPU, each (R,).

    Attributes:
        prototypes: Image that gives the prototype.
        styles: Image that gives the style.
        people: Pair, or single image, whose label it gets.
    """

    prototypes: Tensor
    styles: Tensor
    people: Tensor


class Groups(NamedTuple):
    """How many rows follow one another that belong together, never 0.

    Attributes:
        real: Real images of one modality: those of pairs, and those that stand alone.
        images: All images: the same of both modalities, then the fakes of each.
        rows: Combined codes: each combination of a pair's images, then the single images of each
            modality.
    """

    real: tuple[int, ...]
    images: tuple[int, ...]
    rows: tuple[int, ...]


def combine_codes(sampling: str, num_pairs: int, num_unpaired: int = 0) -> Combinations:
    """The combinations of a batch; both images of each show the same person.

    Source: the alternate sampling of Hi-CMD (Choi et al., CVPR 2020), Sec. 3.3.
    Deviation: the paper's wording allows all 16 combinations of a pair's four images
    (``'all'``); ``'alternate'`` are the 8 that were released, among the images that look visible
    and among those that look infrared.

    Args:
        sampling: ``'alternate'``, ``'all'`` or ``'original'`` (2: each real image's own codes).
        num_pairs: Pairs B of a visible and an infrared image of a person.
        num_unpaired: Images U of each modality that stand alone, all of different people.

    Returns:
        Pairs first, then the single images' own codes. The images are counted in this order: B + U
        visible, B + U infrared, then B fake visible and B fake infrared ones; people: B pairs, U
        visible, then U infrared singles.

    Raises:
        ValueError: If ``sampling`` is none of these.

    Example:
        >>> combine_codes('original', num_pairs=2, num_unpaired=1).prototypes
        tensor([0, 1, 3, 4, 2, 5])
    """
    if sampling not in SAMPLINGS:
        raise InvalidValueError(
            f'combine_codes: `sampling` is {sampling!r}, expected one of {tuple(SAMPLINGS)}.'
        )
    real = num_pairs + num_unpaired
    starts = dict(zip(IMAGES, (0, real, 2 * real, 2 * real + num_pairs)))
    pairs, singles = torch.arange(num_pairs), torch.arange(num_unpaired) + num_pairs
    rows = [
        (starts[prototype] + pairs, starts[style] + pairs, pairs)
        for prototype, style in SAMPLINGS[sampling]
    ]
    for index, modality in enumerate(MODALITIES):
        alone = starts[modality] + singles
        rows.append((alone, alone, singles + index * num_unpaired))
    return Combinations(*map(torch.cat, zip(*rows)))


def group_sizes(sampling: str, num_pairs: int, num_unpaired: int = 0) -> Groups:
    """Sizes of the groups of a batch that Hi-CMD's release takes by themselves.

    Args:
        sampling: As in :func:`combine_codes`, as are the others.
        num_pairs: Pairs B.
        num_unpaired: Images U of each modality that stand alone.

    Returns:
        Groups in the order in which :func:`combine_codes` counts images and lists rows.

    Example:
        >>> group_sizes('original', num_pairs=2, num_unpaired=3)
        Groups(real=(2, 3), images=(2, 3, 2, 3), rows=(2, 2, 3, 3))
    """
    sources, singles = SAMPLINGS[sampling], (num_unpaired,) if num_unpaired else ()
    real = num_pairs, *singles
    fakes = [num_pairs for name in FAKE.values() if any(name in pair for pair in sources)]
    return Groups(
        real=real,
        images=(*(real * len(MODALITIES)), *fakes),
        rows=(num_pairs,) * len(sources) + singles * len(MODALITIES),
    )


def check_group_rows(groups: Groups) -> Groups:
    """These groups, if BatchNorm can normalise each.

    Raises:
        ValueError: If one has a single row.
    """
    if min(groups.rows) < 2:
        raise InvalidValueError(
            f'check_group_rows: `group_passes` is True with groups of {min(groups.rows)} image, '
            'expected at least 2 for BatchNorm to normalise: raise `num_unpaired`, or '
            '`train_dataloader.batch_sampler.num_ids` beyond 2 `num_unpaired` + 1.'
        )
    return groups


def split_singles(
    images: dict[str, Tensor], num_unpaired: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Take some pairs of a batch apart, so that one image of each stands alone.

    Args:
        images: Images by modality, row i of both of the same person, each (B + 2U, 3, H, W).
        num_unpaired: U; of the last 2U pairs, the first U give their visible image, the other U
            their infrared one.

    Returns:
        The B pairs, and the pairs followed by the single images of each modality, (B + U, ...).

    Raises:
        ValueError: If no pair is left.
    """
    visible, infrared = images[VISIBLE], images[INFRARED]
    num_pairs = len(visible) - 2 * num_unpaired
    if num_pairs < 1:
        raise InvalidValueError(
            f'split_singles: `num_unpaired` is {num_unpaired}, expected less than half of the '
            f'{len(visible)} pairs of a batch.'
        )
    end = num_pairs + num_unpaired
    pairs = {VISIBLE: visible[:num_pairs], INFRARED: infrared[:num_pairs]}
    return pairs, {VISIBLE: visible[:end], INFRARED: torch.cat([pairs[INFRARED], infrared[end:]])}
