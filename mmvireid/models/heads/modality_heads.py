"""Classifiers per modality, and slower copies of them that teach the other modality."""

import copy
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.models.batches import split_modalities
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES

from .identity_head import IdentityHead


class TaughtLogits(NamedTuple):
    """What :class:`ModalityHeads` make of N images, visible ones first.

    Attributes:
        own: Identity scores by the classifier of the image's modality, shape (N, C).
        taught: By the teacher of the other modality, without a gradient, shape (N, C).
    """

    own: Tensor
    taught: Tensor


@MODELS.register_module()
class ModalityHeads(BaseModule):
    """A classifier for each modality, its student, and an average over time of each, its teacher.

    A student classifies images of its own modality alone. A teacher, which saw only images of its
    modality too, classifies those of the other, and so says what they look like to it. Teachers
    begin as copies of the students and get no gradient; how they follow, and how fast, stands in
    the table of a :class:`~mmvireid.engine.hooks.TeacherHook`. Retrieval needs neither.

    Source: MPANet (Wu et al., CVPR 2021), mutual mean learning; DNS (ECCV 2024).

    Args:
        in_channels: Feature size D.
        num_ids: Number of training identities C.

    Attributes:
        students (nn.ModuleDict): Classifiers by modality.
        teachers (nn.ModuleDict): The same, averaged; parameters without a gradient.

    Raises:
        ValueError: If ``num_ids`` is not a positive integer.

    Example:
        >>> heads = ModalityHeads(8, num_ids=5)
        >>> own, taught = heads(torch.rand(6, 8), num_visible=4)
        >>> own.shape, taught.requires_grad
        (torch.Size([6, 5]), False)
    """

    def __init__(self, in_channels: int, num_ids: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.students = nn.ModuleDict(
            {key: IdentityHead(in_channels, num_ids, std=None) for key in MODALITIES}
        )
        self.teachers = copy.deepcopy(self.students).requires_grad_(False)

    def forward(self, features: Tensor, num_visible: int) -> TaughtLogits:
        """Classify images by the student of their modality and the teacher of the other.

        Args:
            features: Features, visible images first, shape (N, D).
            num_visible: How many of the images are visible.

        Returns:
            Two kinds of logits, see :class:`TaughtLogits`.

        Raises:
            ValueError: If a modality is missing.
        """
        parts = dict(zip(MODALITIES, split_modalities(features, num_visible)))
        others = dict(zip(MODALITIES, reversed(MODALITIES)))
        own = [self.students[key](rows) for key, rows in parts.items()]
        with torch.no_grad():
            taught = [self.teachers[others[key]](rows) for key, rows in parts.items()]
        return TaughtLogits(torch.cat(own), torch.cat(taught))
