"""Ways of putting edges into stem maps, the rivals of the perceptual edge loss."""

from abc import abstractmethod

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES

from .resnet_part import ResNetPart, build_resnet, init_resnet_parts
from .sobel import check_resize, resize_edges


class EdgeFusion(BaseModule):
    """Base of the fusions that change the stem maps of each modality by itself.

    Source: MSO (Gao et al., ACM MM 2021), Sec. 4.4 and Table 4.

    Args:
        resize: How edges get the size of a stem map: ``'average'``, ``'max'`` or ``'bilinear'``.

    Raises:
        ValueError: If ``resize`` is none of these.
    """

    def __init__(self, resize: str = 'average') -> None:
        super().__init__()
        check_resize(type(self).__name__, resize)
        self.resize = resize

    @abstractmethod
    def fuse(self, modality: str, stem_map: Tensor, edges: Tensor) -> Tensor:
        """Fuse one modality's stem map (N, C, h, w) with its edges (N, 1, h, w)."""

    def forward(self, stem_maps: dict[str, Tensor], edges: dict[str, Tensor]) -> dict[str, Tensor]:
        """Fuse.

        Args:
            stem_maps: Per modality, (N, C, h, w); a modality may be absent.
            edges: Edges of the same images, per modality, (N, 1, H, W).

        Returns:
            Stem maps per modality, of the same shapes.
        """
        fused = {}
        for key, maps in stem_maps.items():
            small = resize_edges(edges[key], maps.shape[2:], self.resize)
            fused[key] = self.fuse(key, maps, small).to(maps.dtype)
        return fused


@MODELS.register_module()
class DirectEdgeFusion(EdgeFusion):
    """Add the edges to every channel."""

    def fuse(self, modality: str, stem_map: Tensor, edges: Tensor) -> Tensor:
        return stem_map + edges


@MODELS.register_module()
class WeightedEdgeFusion(EdgeFusion):
    """Add the edges to every channel, with a learnable weight for each channel and modality.

    The weights start at 0, that is: without edges.

    Args:
        in_channels: Channels C of the stem maps.
        resize: As in :class:`EdgeFusion`.
    """

    def __init__(self, in_channels: int = 64, resize: str = 'average') -> None:
        super().__init__(resize)
        self.weights = nn.ParameterDict(
            {key: nn.Parameter(torch.zeros(in_channels, 1, 1)) for key in MODALITIES}
        )

    def fuse(self, modality: str, stem_map: Tensor, edges: Tensor) -> Tensor:
        return stem_map + self.weights[modality] * edges


@MODELS.register_module()
class ConcatEdgeFusion(EdgeFusion):
    """Take the edges as one more channel, and return to C channels by a 1x1 convolution.

    One convolution for each modality; it starts by passing the stem map on as it is.

    Args:
        in_channels: Channels C of the stem maps.
        resize: As in :class:`EdgeFusion`.
    """

    def __init__(self, in_channels: int = 64, resize: str = 'average') -> None:
        super().__init__(resize)
        self.convolutions = nn.ModuleDict(
            {key: nn.Conv2d(in_channels + 1, in_channels, 1, bias=False) for key in MODALITIES}
        )
        for convolution in self.convolutions.values():
            nn.init.dirac_(convolution.weight)

    def fuse(self, modality: str, stem_map: Tensor, edges: Tensor) -> Tensor:
        return self.convolutions[modality](torch.cat([stem_map, edges], dim=1))


@MODELS.register_module()
class EdgeStream(BaseModule):
    """Edges as a third modality with a stem of its own ("classic feature fusion").

    The trunk then gets twice as many maps: those of all images, then those of all their edges. A
    neck that takes both is needed, :class:`PairedBNNeck`.

    Source: MSO (Gao et al., ACM MM 2021), Sec. 4.4 and Table 4.

    Args:
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` initialises the stem from an ImageNet
            ResNet, as in :class:`TwoStreamResNet`. ``None``: random.
    """

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.stem = ResNetPart(build_resnet(18), ('stem',))  # ResNets of all depths share it

    def init_weights(self) -> None:
        """Load the ImageNet weights named by ``init_cfg``.

        Raises:
            ValueError: If the file does not fit.
            RuntimeError: If the weights cannot be had; says which key takes a local file.
        """
        init_resnet_parts(self, (self.stem,), key='model.fusion.init_cfg')

    def forward(self, stem_maps: dict[str, Tensor], edges: dict[str, Tensor]) -> dict[str, Tensor]:
        """Embed the edges beside the images.

        Args:
            stem_maps: Per modality, (N, C, h, w); a modality may be absent.
            edges: Edges of the same images, per modality, (N, 1, H, W).

        Returns:
            The stem maps as they are, and ``'edges'``: those of the edges of all images in the same
            order, (N, C, h, w).
        """
        joined = torch.cat([edges[key] for key in stem_maps]).expand(-1, 3, -1, -1)
        return stem_maps | dict(edges=self.stem(joined))
