"""From a collated batch to the inputs of a model."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmvireid.errors import InvalidTypeError
from mmvireid.models.augmentations import GREY_WEIGHTS
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, ReIDDataSample

from .view import View, build_views


@MODELS.register_module()
class ReIDDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, augment and normalise it, split it by block and modality.

    In training a drawn image may be seen in several *views*: further images of its modality, each
    with a sample of its own that has the same label and names the view. So ``inputs['visible']``
    has the first view of all drawn visible images, then the second, and so on, and a method that
    knows nothing of views takes them for more images; :func:`~mmvireid.models.batches.view_rows`
    tells them apart. Row i of two views of a modality comes from the same drawn image. What is
    drawn (P identities, K images), and everything outside of training, knows no views.

    Args:
        mean: Mean of the R, G, B channels, in [0, 255]; ImageNet's by default.
        std: Standard deviation of the R, G, B channels, in [0, 255].
        channels_last: Whether to hand images over in channels-last memory format. On CPUs and on
            GPUs with bf16 the convolutions run faster then; the figures stay the same up to
            rounding.
        non_blocking: Whether the copy to a GPU may overlap with computation (pinned memory).
        views: Views of the drawn images by name: their ``modality`` (which a view that is called
            like one need not say) and ``augmentations``, configs of
            :class:`~mmvireid.models.augmentations.BaseAugmentation`. A modality without one is seen
            as it is, under its own name. ``None`` for all that.
        common: Augmentations that every view begins with, drawn anew for each, as a rule crop and
            flip. Those of the pipeline are one and the same in all views.
        grey: Whether the colour is taken out of every image, in training and test: all three
            channels hold its grey. Infrared images, whose channels are equal, stay as they are.

    Attributes:
        seen (tuple[str, ...] | None): Names of the views that are made, such as those of a stage of
            the training; ``None`` for all of them.

    Raises:
        ValueError: If a view is none, see :class:`~mmvireid.models.data_preprocessors.view.View`.

    Example:
        >>> preprocessor = ReIDDataPreprocessor()
        >>> sample = ReIDDataSample(modality='infrared')
        >>> image = torch.zeros(1, 3, 4, 2, dtype=torch.uint8)
        >>> batch = preprocessor(dict(inputs=image, data_samples=[sample]))
        >>> list(batch['inputs'])
        ['infrared']
    """

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        channels_last: bool = False,
        non_blocking: bool = True,
        views: dict[str, dict] | None = None,
        common: Sequence[dict] = (),
        grey: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        self.grey = grey
        self.views = build_views(views or {}, common) if views or common else None
        self.seen = None
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.register_buffer('mean', torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        weights = torch.tensor(GREY_WEIGHTS).view(1, 3, 1, 1)
        self.register_buffer('grey_weights', weights, persistent=False)
        self.register_buffer('std', torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs``, uint8 BGR images (N, 3, H, W), and ``data_samples``, a list of N.
            training: Whether to make the views; otherwise images are what they are.

        Returns:
            ``inputs``: normalised RGB images per modality, ``{'visible': (Nv, 3, H, W),
            'infrared': (Ni, 3, H, W)}``, absent modalities left out; ``data_samples``: reordered
            to match, all visible ones first. Where samples name a batch block, both are
            dictionaries that have this for every block, in the blocks' order in the batch.
        """
        data_samples, images = data['data_samples'], self.upload(data['inputs'])
        keys = [(sample.get('block'), sample.modality) for sample in data_samples]
        blocks = list(dict.fromkeys(block for block, _ in keys))
        ranks = [(blocks.index(block), MODALITIES.index(modality)) for block, modality in keys]
        order = sorted(range(len(ranks)), key=ranks.__getitem__)
        if order != list(range(len(order))):  # training batches are ordered: no gather, no sync
            images = images[order]
        data_samples = [data_samples[i] for i in order]
        if training and self.views:
            images, data_samples = self._see(images, data_samples, [keys[i] for i in order])
        else:
            images = images.sub_(self.mean).div_(self.std)
        if blocks == [None]:
            return dict(inputs=self._by_modality(images, data_samples), data_samples=data_samples)
        samples = {b: [s for s in data_samples if s.get('block') == b] for b in blocks}
        parts = images.split([len(part) for part in samples.values()])
        inputs = {b: self._by_modality(part, samples[b]) for b, part in zip(blocks, parts)}
        return dict(inputs=inputs, data_samples=samples)

    def _see(
        self, images: Tensor, data_samples: list[ReIDDataSample], keys: list[tuple]
    ) -> tuple[Tensor, list[ReIDDataSample]]:
        """All views of images in [0, 255], those of a block and modality (a key) after another."""
        runs = {key: keys.count(key) for key in dict.fromkeys(keys)}
        parts, start = [], 0
        for ((_, modality), count), own in zip(runs.items(), images.split(list(runs.values()))):
            drawn = data_samples[start : start + count]
            views = [v for v in self.views[modality] if self.seen is None or v.name in self.seen]
            parts += [self._see_as(view, own, drawn) for view in views]
            start += count
        seen, samples = zip(*parts)
        images = torch.cat(seen).contiguous(memory_format=self.memory_format)
        return images, [sample for part in samples for sample in part]

    def _see_as(
        self, view: View, images: Tensor, data_samples: list[ReIDDataSample]
    ) -> tuple[Tensor, list[ReIDDataSample]]:
        """One view of images in [0, 255], normalised, with samples of its own."""
        samples = view.copy_samples(data_samples)
        if view.steps['raw']:
            images = view.augment('raw', images / 255, samples) * 255
        images = (images - self.mean) / self.std
        return view.augment('normalized', images, samples), samples

    @staticmethod
    def _by_modality(images: Tensor, data_samples: list[ReIDDataSample]) -> dict[str, Tensor]:
        present = [sample.modality for sample in data_samples]
        counts = {key: present.count(key) for key in MODALITIES if key in present}
        return dict(zip(counts, images.split(list(counts.values()))))

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 BGR (N, 3, H, W) -> normalised float32 RGB on the device, as :meth:`upload`."""
        return self.upload(images).sub_(self.mean).div_(self.std)

    def upload(self, images: Tensor) -> Tensor:
        """uint8 BGR (N, 3, H, W) -> float32 RGB in [0, 255] on the device, same shape.

        With ``grey``, the grey of the image in all three channels.

        Raises:
            TypeError: If they are no tensor of this kind.
        """
        if not isinstance(images, Tensor):
            raise InvalidTypeError(
                f'ReIDDataPreprocessor: `inputs` is a {type(images).__name__}, expected one '
                "tensor: set `collate_fn` of the data loader to dict(type='mmvireid.reid_collate')."
            )
        if images.dtype != torch.uint8:
            raise InvalidTypeError(
                f'ReIDDataPreprocessor: `inputs` are {images.dtype}, expected torch.uint8: BGR '
                'images in [0, 255], as transforms get them.'
            )
        images = images.to(self.device, non_blocking=self._non_blocking)
        # flip, not an index: a list of channels would be copied to the GPU and waited for
        images = images.flip(1).to(torch.float32, memory_format=self.memory_format)
        if self.grey:
            shades = (images * self.grey_weights).sum(dim=1, keepdim=True)
            images.copy_(shades)  # every channel, in the same memory
        return images

    def denormalize(self, images: Tensor) -> Tensor:
        """Normalised RGB (N, 3, H, W) -> uint8 BGR, the inverse of :meth:`normalize`.

        Values are rounded, and clamped to what an image file can hold.
        """
        return (images * self.std + self.mean).round().clamp(0, 255).to(torch.uint8).flip(1)

    def to_pictures(self, images: Tensor) -> list[np.ndarray]:
        """Normalised RGB (N, 3, H, W) -> N pictures to draw or save, uint8 BGR (H, W, 3)."""
        return list(self.denormalize(images).permute(0, 2, 3, 1).cpu().numpy())
