"""How a method builds its parts: under their names, with sizes that fit together."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.base.sizes import with_sizes
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES


class PartBuilder:
    """What builds the parts of a method; mixed into :class:`BaseReID`.

    A part is a child of the model. Its name is an argument of the method, a name of the state dict
    and of the optimisers' ``modules``.
    """

    def add_part(
        self, name: str, cfg: dict | None, image_size: Sequence[int] | None = None, **sizes: int
    ) -> nn.Module | None:
        """Build a part.

        Args:
            name: Its name.
            cfg: Its config; ``None`` for a variant that leaves the part out.
            image_size: Height and width of the images that it has to take.
            **sizes: What follows from other parts, see :func:`with_sizes`.

        Returns:
            The part, if there is one.

        Raises:
            ValueError: If the config names other sizes, or the images do not suit the part.
        """
        if cfg is None:
            return None
        part = MODELS.build(with_sizes(f'{type(self).__name__}.{name}', cfg, **sizes))
        if image_size is not None:
            part.check_size(image_size)
        self.add_module(name, part)
        return part

    def add_twins(self, name: str, cfg: dict | None, equal: bool, **kwargs) -> nn.Module | None:
        """Build a part for each modality, ``visible_<name>`` and ``infrared_<name>``.

        Args:
            name: What both are called after.
            cfg: As in :meth:`add_part`.
            equal: Whether both have the same weights to begin with.
            **kwargs: As in :meth:`add_part`.

        Returns:
            The first of them, if there are any.
        """
        first, second = (f'{modality}_{name}' for modality in MODALITIES)
        part = self.add_part(first, cfg, **kwargs)
        if equal and part is not None:
            self.add_module(second, copy.deepcopy(part))
        else:
            self.add_part(second, cfg, **kwargs)
        return part

    def twin(self, name: str, modality: str) -> nn.Module:
        """A modality's own part of that name."""
        return getattr(self, f'{modality}_{name}')

    def run_twins(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        """Give each modality's images to its own part.

        Args:
            name: What the parts are called after.
            inputs: (N, ...) per modality; one may be absent.

        Returns:
            What they give, (N, ...), one after the other, visible first.
        """
        return torch.cat([self.twin(name, key)(inputs[key]) for key in MODALITIES if key in inputs])

    def add_losses(self, losses: dict[str, dict]) -> None:
        """Build ``losses``, by kind."""
        self.losses = nn.ModuleDict({kind: MODELS.build(cfg) for kind, cfg in losses.items()})

    def check_needed_by(self, term: str, also: Sequence[str] = (), **part: dict | None) -> None:
        """Make sure that a part is there just where its term counts.

        Args:
            term: The term that is computed with it.
            also: Further terms that are, which may be without a weight where it is there.
            **part: Its config, by its name.

        Raises:
            ValueError: If a term has a weight and there is no part, or there is one and its term
                has none.
        """
        [(name, cfg)] = part.items()
        for each in (term, *also):
            weight = self.loss_weights.get(each) or 0
            is_alone = (cfg is None) != (weight == 0)  # the part or the weight
            if is_alone and (cfg is None or each == term):
                raise InvalidValueError(
                    f'{type(self).__name__}: `loss_weights.{each}` is {weight} with `{name}` '
                    f'{cfg}, expected a positive weight just with one.'
                )
