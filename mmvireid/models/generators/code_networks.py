"""The networks that take images of both modalities apart into codes, and put them together."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmvireid.structures import MODALITIES

from .codes import Codes, join_codes


class CodeNetworks:
    """Encoders and decoder of :class:`Codes`, mixed into a method beside :class:`BaseReID`.

    The children are ``<modality>_prototype_encoder``, ``<modality>_attribute_encoder``, which are
    equal to begin with, and ``decoder``.
    """

    def add_code_networks(
        self,
        image_size: Sequence[int],
        prototype_encoder: dict,
        attribute_encoder: dict,
        decoder: dict,
    ) -> tuple[nn.Module, nn.Module]:
        """Build them, with sizes that fit together.

        Args:
            image_size: Height and width of the images.
            prototype_encoder: Config of an encoder of prototypes; each modality has one.
            attribute_encoder: Config of an encoder of the other codes; each modality has one.
            decoder: Config of the decoder; its sizes follow from the encoders.

        Returns:
            Visible encoder of prototypes, and of attributes.

        Raises:
            ValueError: If the parts do not fit together, or the images do not suit them.
        """
        prototypes = self.add_twins(
            'prototype_encoder', prototype_encoder, equal=True, image_size=image_size
        )
        attributes = self.add_twins('attribute_encoder', attribute_encoder, equal=True)
        self.add_part(
            'decoder',
            decoder,
            image_size,
            in_channels=prototypes.out_channels,
            code_size=attributes.block_size,
            num_blocks=attributes.num_blocks,
        )
        return prototypes, attributes

    def encode(self, images: Tensor, modality: str) -> Codes:
        """Codes of images (N, 3, H, W) of one modality, by its own encoders."""
        prototype = self.twin('prototype_encoder', modality)(images)
        return Codes(prototype, *self.twin('attribute_encoder', modality)(images))

    def encode_by_modality(
        self, images: dict[str, Tensor], groups: Sequence[int] | None = None
    ) -> dict[str, Codes]:
        """Codes of images of both modalities.

        Args:
            images: By modality, each (N, 3, H, W); one may be absent.
            groups: How many images of each modality pass by themselves; ``None`` for all together.
        """
        parts = {k: part.split(groups) if groups else [part] for k, part in images.items()}
        return {
            key: join_codes([self.encode(part, key) for part in parts[key]])
            for key in MODALITIES
            if key in parts
        }

    def encode_together(self, images: dict[str, Tensor]) -> Codes:
        """Codes of all images, visible ones first.

        Args:
            images: By modality, each (N, 3, H, W); one may be absent.
        """
        return join_codes([*self.encode_by_modality(images).values()])

    def extract_codes(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Codes of all images, visible ones first, for analysis.

        Args:
            inputs: By modality, each (N, 3, H, W); one may be absent.

        Returns:
            By the names of :class:`Codes`, which has their shapes: ``prototype`` (N, C, h, w), the
            others (N, B, D).
        """
        return self.encode_together(inputs)._asdict()

    def extract_maps(self, inputs: dict[str, Tensor]) -> Tensor:
        """Maps whose means over all positions are the attributes, for analysis.

        Args:
            inputs: By modality, each (N, 3, H, W); one may be absent.

        Returns:
            Shape (N, C, h, w), visible ones first.
        """
        encoders = {key: self.twin('attribute_encoder', key) for key in MODALITIES if key in inputs}
        return torch.cat([encoder.extractor(inputs[key]) for key, encoder in encoders.items()])

    def decode(self, codes: Codes) -> Tensor:
        """Images (N, 3, H, W) of codes, normalised as real ones are."""
        return self.decoder(codes)

    def decode_by_name(self, codes: dict[str, Codes]) -> dict[str, Tensor]:
        """Images (N, 3, H, W) by name, in one pass: nothing in the decoder looks across images."""
        sizes = [len(c.prototype) for c in codes.values()]
        return dict(zip(codes, self.decode(join_codes(list(codes.values()))).split(sizes)))
