"""Which codes make which image, where the two modalities exchange theirs."""

from torch import Tensor

from mmvireid.models.batches import FAKE
from mmvireid.structures import MODALITIES

from .codes import Codes

#: A modality and the other one, for what is done both ways.
BOTH_WAYS = tuple(zip(MODALITIES, reversed(MODALITIES)))
#: The second kind of fakes: only the illumination is the real image's, the pose stays.
RELIT = {modality: f'relit_{modality}' for modality in MODALITIES}
#: What :func:`cycle_codes` takes from fakes.
CYCLES = ('all', 'prototype')

#: Codes of images of the same people, by modality or by name of the image.
CodesByName = dict[str, Codes]


def exchange_codes(real: CodesByName) -> CodesByName:
    r"""Codes of fakes that show the other modality's person as the real image does.

    Source: Hi-CMD (Choi et al., CVPR 2020): :math:`G(p_2, a_2^s, a_1^c, a_1^p)` is visible.

    Args:
        real: Codes of real images by modality, row i of both of the same person.

    Returns:
        Codes by :data:`FAKE` name.
    """
    return {FAKE[key]: real[other].shown_as(real[key]) for key, other in BOTH_WAYS}


def relight_codes(real: CodesByName) -> CodesByName:
    r"""Codes of fakes that show the other modality's person in its own pose, relit.

    Source: Hi-CMD (Choi et al., CVPR 2020), Eq. 7: :math:`G(p_2, a_2^s, a_1^c, a_2^p)` is visible.

    Args:
        real: Codes of real images by modality, row i of both of the same person.

    Returns:
        Codes by :data:`RELIT` name.
    """
    return {
        RELIT[key]: real[other]._replace(illumination=real[key].illumination)
        for key, other in BOTH_WAYS
    }


def same_codes(real: CodesByName, own_style: bool) -> CodesByName:
    """Codes that shall give the real images.

    Source: Hi-CMD (Choi et al., CVPR 2020), Eq. 2; released without the own style.

    Args:
        real: Codes of real images by modality, row i of both of the same person.
        own_style: Whether the style is the image's own, or else its partner's.

    Returns:
        Codes by modality.
    """
    if own_style:
        return real
    return {key: real[key]._replace(style=real[other].style) for key, other in BOTH_WAYS}


def cycle_codes(real: CodesByName, fake: CodesByName, cycle: str) -> CodesByName:
    """Codes that shall give the real images again, by way of the fakes.

    The person of a modality's image is in the fake of the other modality, its pose and illumination
    are in the fake of its own.

    Source: Hi-CMD (Choi et al., CVPR 2020), Eq. 3; released as ``'prototype'``.

    Args:
        real: Codes of real images by modality, row i of both of the same person.
        fake: Codes of the fakes of :func:`exchange_codes`, by the modality that they look like.
        cycle: What is taken from the fakes: ``'all'``, or the ``'prototype'``, with the partner's
            style and the rest the image's own.

    Returns:
        Codes by modality.
    """
    if cycle == 'all':
        return {key: fake[other].shown_as(fake[key]) for key, other in BOTH_WAYS}
    return {
        key: real[key]._replace(prototype=fake[other].prototype, style=real[other].style)
        for key, other in BOTH_WAYS
    }


def exchange_pictures(
    images: dict[str, Tensor], made: dict[str, Tensor], again: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Pictures of an exchange by title, each (N, 3, H, W).

    Args:
        images: Real images by modality, (N, 3, H, W).
        made: What was decoded, (N, 3, H, W): by modality from their own codes, and fakes by
            :data:`FAKE` and :data:`RELIT` name.
        again: The real images made again from codes of the fakes, by modality, (N, 3, H, W).
    """
    columns = {}
    for key, other in BOTH_WAYS:
        columns |= {
            key: images[key],
            f'{key}, own codes': made[key],
            f'{key}, cycle': again[key],
            f'{other} person as {key}': made[FAKE[key]],
            f'{other} person relit': made[RELIT[key]],
        }
    return columns
