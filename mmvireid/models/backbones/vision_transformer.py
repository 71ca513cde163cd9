"""Vision transformer for two modalities."""

import math
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.base.pretrained_init import PretrainedInit
from mmvireid.models.layers import PatchEmbedding, TransformerBlock, resize_positions
from mmvireid.registry import MODELS
from mmvireid.storage import check_state_dict, load_weights
from mmvireid.structures import MODALITIES

KEY = 'model.backbone.init_cfg'


@MODELS.register_module()
class VisionTransformer(BaseModule):
    """ViT whose patch embedding is shared by the modalities, or exists once for each.

    Its parameters have the names of timm's ViT: ``cls_token``, ``pos_embed``,
    ``patch_embed.proj``, ``blocks.0.attn.qkv``, ``norm``. Source: Dosovitskiy et al., ICLR 2021,
    with overlapping patches and the rates of PMT (Lu et al., AAAI 2023).

    Args:
        input_size: Height and width of the images.
        patch_size: Height and width of a patch.
        stride: Pixels from one patch to the next; smaller than a patch, and patches overlap.
        feature_size: Size D of a token.
        num_blocks: Number of blocks.
        num_heads: Heads of the attention, a divisor of D.
        mlp_ratio: Hidden size of a block's perceptron over D.
        dropout: Behind positions, attention and perceptron, in [0, 1).
        attention_dropout: Of the attention itself, in [0, 1).
        drop_path: Probability that an image skips a part of the last block, in [0, 1); 0 in the
            first, and linear between.
        eps: Of the normalisations. timm's ViT has 1e-6.
        split: ``'none'``, or ``'patch_embed'`` for a patch embedding per modality.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)``: ImageNet's weights of a ViT by timm's
            names, without its classifier, from a file or an address. Positions are resized
            bilinearly from a square grid to this one, and both modalities get the one patch
            embedding. With ``prefix='backbone.'`` all weights are those of a trained model's
            backbone. ``None``: random.

    Attributes:
        out_channels (int): Size D of a token.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> net = VisionTransformer((64, 32), feature_size=8, num_blocks=2, num_heads=2)
        >>> image = torch.rand(2, 3, 64, 32)
        >>> net(dict(visible=image, infrared=image)).shape  # the class token, 5 x 2 patches
        torch.Size([4, 11, 8])
    """

    def __init__(
        self,
        input_size: Sequence[int] = (256, 128),
        patch_size: int = 16,
        stride: int = 12,
        feature_size: int = 768,
        num_blocks: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        dropout: float = 0.03,
        attention_dropout: float = 0.0,
        drop_path: float = 0.1,
        eps: float = 1e-5,
        split: str = 'none',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.input_size, self.out_channels = tuple(input_size), feature_size
        counts = dict(
            patch_size=patch_size, stride=stride, num_blocks=num_blocks, num_heads=num_heads
        )
        shares = dict(dropout=dropout, attention_dropout=attention_dropout, drop_path=drop_path)
        self._check(counts, shares, split)
        self.grid = tuple((side - patch_size) // stride + 1 for side in self.input_size)
        names = MODALITIES if split == 'patch_embed' else ['']
        embeddings = {name: PatchEmbedding(feature_size, patch_size, stride) for name in names}
        self.patch_embed = embeddings.get('') or nn.ModuleDict(embeddings)
        self.cls_token = nn.Parameter(torch.empty(1, 1, feature_size))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + math.prod(self.grid), feature_size))
        self.drop = nn.Dropout(dropout)
        rates = [drop_path * i / max(num_blocks - 1, 1) for i in range(num_blocks)]
        inner = (num_heads, mlp_ratio, dropout, attention_dropout)
        self.blocks = nn.Sequential(
            *(TransformerBlock(feature_size, *inner, rate, eps) for rate in rates)
        )
        self.norm = nn.LayerNorm(feature_size, eps)
        self.apply(_start)
        for values in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(values, std=0.02)

    def _check(self, counts: dict[str, int], shares: dict[str, float], split: str) -> None:
        wrong = {name: count for name, count in counts.items() if count < 1}
        wrong |= {name: share for name, share in shares.items() if not 0 <= share < 1}
        if wrong:
            raise InvalidValueError(
                f'VisionTransformer: {wrong}, expected numbers of at least 1, and probabilities '
                'in [0, 1).'
            )
        patch_size, num_heads = counts['patch_size'], counts['num_heads']
        if min(self.input_size) < patch_size:
            raise InvalidValueError(
                f'VisionTransformer: `input_size` is {self.input_size}, expected at least '
                f'`patch_size`, {patch_size}.'
            )
        if self.out_channels % num_heads:
            raise InvalidValueError(
                f'VisionTransformer: `num_heads` is {num_heads}, expected a divisor of '
                f'`feature_size`, {self.out_channels}.'
            )
        if split not in ('none', 'patch_embed'):
            raise InvalidValueError(
                f"VisionTransformer: `split` is {split!r}, expected 'none' or 'patch_embed'."
            )

    def init_weights(self) -> None:
        """Load the weights named by ``init_cfg``.

        Raises:
            ValueError: If it has other keys, or the file does not fit the network.
            RuntimeError: If the weights cannot be had; says which key takes a local file.
        """
        if self.init_cfg is not None and not self.is_init:
            options = {name: value for name, value in self.init_cfg.items() if name != 'type'}
            if options.get('prefix'):
                PretrainedInit(**options)(self)
            elif set(options) - {'prefix'} == {'checkpoint'}:
                self._load_imagenet(options['checkpoint'])
            else:
                raise InvalidValueError(
                    f'VisionTransformer: `{KEY}` is {dict(self.init_cfg)}, expected '
                    "dict(type='Pretrained', checkpoint=...), with `prefix` for weights of a model "
                    'of this project.'
                )
        self._is_init = True

    def _load_imagenet(self, checkpoint: str) -> None:
        weights = load_weights(checkpoint, key=KEY)
        weights = {k: v for k, v in weights.items() if not k.startswith(('head.', 'pre_logits.'))}
        positions = weights.get('pos_embed')
        if positions is not None and positions.dim() == 3:
            side = math.isqrt(positions.shape[1] - 1)
            if side * side == positions.shape[1] - 1:
                weights['pos_embed'] = resize_positions(positions, (side, side), self.grid)
        if isinstance(self.patch_embed, nn.ModuleDict):
            for key in [key for key in weights if key.startswith('patch_embed.')]:
                value, name = weights.pop(key), key.removeprefix('patch_embed.')
                weights |= {f'patch_embed.{modality}.{name}': value for modality in MODALITIES}
        check_state_dict(self.state_dict(), weights, source=checkpoint)
        self.load_state_dict(weights)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Map images to tokens.

        Args:
            inputs: Images per modality, ``{'visible': (Nv, 3, H, W), 'infrared': (Ni, ...)}``;
                a modality may be absent.

        Returns:
            Normalised tokens, visible images first, the class token and then the patches row by
            row, shape (N, 1 + T, D).

        Raises:
            ValueError: If the images are of another size than positions were made for.
        """
        images = {key: inputs[key] for key in MODALITIES if key in inputs}
        for own in images.values():
            if tuple(own.shape[2:]) != self.input_size:
                raise InvalidValueError(
                    f'VisionTransformer: `input_size` is {self.input_size} and an image '
                    f'{tuple(own.shape[2:])}, expected the `size` of the images in the pipeline.'
                )
        if isinstance(self.patch_embed, nn.ModuleDict):
            patches = torch.cat([self.patch_embed[key](own) for key, own in images.items()])
        else:
            patches = self.patch_embed(torch.cat([*images.values()]))
        first = self.cls_token.expand(patches.shape[0], -1, -1)
        tokens = torch.cat([first, patches], dim=1)
        return self.norm(self.blocks(self.drop(tokens + self.pos_embed)))


def _start(module: nn.Module) -> None:
    """Initial values of linear layers, as timm has them."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
