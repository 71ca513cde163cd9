"""From a collated batch to the inputs of a model."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmvireid.errors import InvalidTypeError
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, ReIDDataSample


@MODELS.register_module()
class ReIDDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, normalise it and split it by block and modality.

    Args:
        mean: Mean of the R, G, B channels, in [0, 255]; ImageNet's by default.
        std: Standard deviation of the R, G, B channels, in [0, 255].
        channels_last: Whether to hand images over in channels-last memory format. On CPUs and on
            GPUs with bf16 the convolutions run faster then; the figures stay the same up to
            rounding.
        non_blocking: Whether the copy to a GPU may overlap with computation (pinned memory).

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
    ) -> None:
        super().__init__(non_blocking)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.register_buffer('mean', torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs``, uint8 BGR images (N, 3, H, W), and ``data_samples``, a list of N.
            training: Unused; augmentation belongs to the pipeline.

        Returns:
            ``inputs``: normalised RGB images per modality, ``{'visible': (Nv, 3, H, W),
            'infrared': (Ni, 3, H, W)}``, absent modalities left out; ``data_samples``: reordered
            to match, all visible ones first. Where samples name a batch block, both are
            dictionaries that have this for every block, in the blocks' order in the batch.
        """
        data_samples, images = data['data_samples'], self.normalize(data['inputs'])
        keys = [(sample.get('block'), sample.modality) for sample in data_samples]
        blocks = list(dict.fromkeys(block for block, _ in keys))
        ranks = [(blocks.index(block), MODALITIES.index(modality)) for block, modality in keys]
        order = sorted(range(len(ranks)), key=ranks.__getitem__)
        if order != list(range(len(order))):  # training batches are ordered: no gather, no sync
            images = images[order]
        data_samples = [data_samples[i] for i in order]
        if blocks == [None]:
            return dict(inputs=self._by_modality(images, data_samples), data_samples=data_samples)
        samples = {b: [s for s in data_samples if s.get('block') == b] for b in blocks}
        parts = images.split([len(part) for part in samples.values()])
        inputs = {b: self._by_modality(part, samples[b]) for b, part in zip(blocks, parts)}
        return dict(inputs=inputs, data_samples=samples)

    @staticmethod
    def _by_modality(images: Tensor, data_samples: list[ReIDDataSample]) -> dict[str, Tensor]:
        present = [sample.modality for sample in data_samples]
        counts = {key: present.count(key) for key in MODALITIES if key in present}
        return dict(zip(counts, images.split(list(counts.values()))))

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 BGR (N, 3, H, W) -> normalised float32 RGB on the device.

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
        return images.sub_(self.mean).div_(self.std)

    def denormalize(self, images: Tensor) -> Tensor:
        """Normalised RGB (N, 3, H, W) -> uint8 BGR, the inverse of :meth:`normalize`.

        Values are rounded, and clamped to what an image file can hold.
        """
        return (images * self.std + self.mean).round().clamp(0, 255).to(torch.uint8).flip(1)

    def to_pictures(self, images: Tensor) -> list[np.ndarray]:
        """Normalised RGB (N, 3, H, W) -> N pictures to draw or save, uint8 BGR (H, W, 3)."""
        return list(self.denormalize(images).permute(0, 2, 3, 1).cpu().numpy())
