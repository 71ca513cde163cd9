"""Views: what a model gets to see of a drawn image in training."""

from collections.abc import Mapping, Sequence

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmvireid.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from mmvireid.models.augmentations import SPACES, BaseAugmentation
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, ReIDDataSample

KEYS = ('modality', 'augmentations')


class View:
    """One way of looking at the drawn images of a modality.

    Args:
        name: What it is called.
        modality: Whose images; ``None`` if that is its name.
        augmentations: Configs of :class:`BaseAugmentation`, in their order: those of raw values
            before those of normalised ones.
        common: Those before them, which other views have too.

    Attributes:
        steps (dict[str, list[BaseAugmentation]]): The augmentations of each space.

    Raises:
        TypeError: If an augmentation is no config of one.
        ValueError: If there is no such modality, or an augmentation stands behind one of a later
            space; names the view and the augmentation.
    """

    def __init__(
        self,
        name: str,
        modality: str | None = None,
        augmentations: Sequence[dict] = (),
        common: Sequence[dict] = (),
    ) -> None:
        self.name, self.modality = name, name if modality is None else modality
        where = f'ReIDDataPreprocessor: `views.{name}'
        if self.modality not in MODALITIES:
            raise InvalidValueError(
                f'{where}.modality` is {self.modality!r}, expected one of {MODALITIES}: whose '
                'images this view shows; it can be left out where the view is called so.'
            )
        if name in MODALITIES and name != self.modality:
            raise InvalidValueError(
                f'{where}.modality` is {self.modality!r}, expected {name!r}, or another name.'
            )
        self.steps, reached = {space: [] for space in SPACES}, 0
        places = [f'common.{index}' for index in range(len(common))]
        places += [f'views.{name}.augmentations.{index}' for index in range(len(augmentations))]
        for place, cfg in zip(places, (*common, *augmentations)):
            if not isinstance(cfg, Mapping) or 'type' not in cfg:
                raise InvalidTypeError(
                    f'ReIDDataPreprocessor: `{place}` is {cfg!r}, expected the config of an '
                    "augmentation, such as dict(type='FlipAugmentation'), in a list of them."
                )
            step = MODELS.build(cfg)
            kind = f'ReIDDataPreprocessor: `{place}` is a {type(step).__name__}'
            if not isinstance(step, BaseAugmentation):
                raise InvalidValueError(
                    f'{kind}, expected a BaseAugmentation. Transforms of single images stand in '
                    '`train_dataloader.dataset.pipeline`.'
                )
            if SPACES.index(step.space) < reached:
                raise InvalidValueError(
                    f'{kind} of {step.space!r} values behind one of {SPACES[reached]!r} values, '
                    'expected those of raw values first: what is normalised stays so.'
                )
            reached = SPACES.index(step.space)
            self.steps[step.space].append(step)

    def augment(self, space: str, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        """Change images in float32, also inside autocast; see :class:`BaseAugmentation`.

        Args:
            space: What their values are.
            images: Images of the modality, shape (N, 3, H, W).
            samples: What is known of them.

        Returns:
            Shape (N, 3, H, W).
        """
        with torch.autocast(images.device.type, enabled=False):
            for step in self.steps[space]:
                images = step(images, samples)
        return images

    def copy_samples(self, samples: Sequence[BaseDataElement]) -> list[BaseDataElement]:
        """Samples of this view, to be changed, of those of the drawn images."""
        copies = [sample.new() for sample in samples]
        for copy in copies:
            copy.set_metainfo(dict(view=self.name))
        return copies


def build_views(views: Mapping[str, Mapping], common: Sequence[dict] = ()) -> dict[str, list[View]]:
    """The views of each modality.

    Args:
        views: Arguments of :class:`View` by name.
        common: Augmentations that every view begins with, drawn anew for each.

    Returns:
        By modality, in the order in which a batch holds them: what is called like its modality,
        then by name, because a config that was written to a file has lost its order. A modality
        that has none is seen as it is, but for what is common, under its own name.

    Raises:
        TypeError: If they are no dict of dicts.
        ValueError: If a view has another key, and as :class:`View`.
    """
    found = {modality: [] for modality in MODALITIES}
    if not isinstance(views, Mapping) or not all(isinstance(v, Mapping) for v in views.values()):
        raise InvalidTypeError(
            f'ReIDDataPreprocessor: `views` is {views!r}, expected a dict by name of dicts with '
            f'some of {KEYS}.'
        )
    for name in sorted(views, key=lambda name: (name not in MODALITIES, name)):
        cfg = views[name]
        unknown = sorted(set(cfg) - set(KEYS))
        if unknown:
            raise UnknownNameError(
                f'ReIDDataPreprocessor: `views.{name}` has {unknown}, expected some of {KEYS}.'
            )
        view = View(name, cfg.get('modality'), cfg.get('augmentations', ()), common)
        found[view.modality].append(view)
    for modality, own in found.items():
        if not own:
            own.append(View(modality, common=common))
    return found
