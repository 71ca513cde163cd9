"""The layers of a vision transformer, under timm's parameter names."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import StochasticDepth


class PatchEmbedding(nn.Module):
    """A token for every patch of an image; patches overlap where the stride is smaller.

    Args:
        feature_size: Size D of a token.
        patch_size: Height and width of a patch.
        stride: Pixels from one patch to the next.

    Example:
        >>> PatchEmbedding(8, 16, 12)(torch.rand(2, 3, 256, 128)).shape  # 21 x 10 patches
        torch.Size([2, 210, 8])
    """

    def __init__(self, feature_size: int, patch_size: int = 16, stride: int = 16) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, feature_size, patch_size, stride)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to tokens (N, T, D), row by row."""
        return self.proj(images).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Every token asks all tokens, in several heads.

    Args:
        feature_size: Size D of a token.
        num_heads: Heads; they share D.
        dropout: Of the result, in [0, 1).
        attention_dropout: Of the attention, in [0, 1).
    """

    def __init__(
        self,
        feature_size: int,
        num_heads: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_heads, self.attention_dropout = num_heads, attention_dropout
        self.qkv = nn.Linear(feature_size, 3 * feature_size)
        self.proj = nn.Linear(feature_size, feature_size)
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, T, D) to (N, T, D)."""
        heads = self.qkv(tokens).unflatten(2, (3, self.num_heads, -1))  # (N, T, 3, heads, d)
        queries, keys, values = heads.permute(2, 0, 3, 1, 4)
        dropped = self.attention_dropout if self.training else 0.0
        answers = F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropped)
        return self.drop(self.proj(answers.transpose(1, 2).flatten(2)))


class Perceptron(nn.Module):
    """Two linear layers with a GELU between them, for each token by itself.

    Args:
        feature_size: Size D of a token.
        hidden: Size between the layers.
        dropout: Behind each of them, in [0, 1).
    """

    def __init__(self, feature_size: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(feature_size, hidden), nn.Linear(hidden, feature_size)
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, T, D) to (N, T, D)."""
        return self.drop(self.fc2(self.drop(F.gelu(self.fc1(tokens)))))


class TransformerBlock(nn.Module):
    r"""Attention and perceptron, each added to what it was given.

    .. math:: x' = x + A(\mathrm{LN}(x)), \quad x'' = x' + M(\mathrm{LN}(x'))

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021; in training an image
    skips A, or M, with a probability (stochastic depth, Huang et al., ECCV 2016).

    Args:
        feature_size: Size D of a token.
        num_heads: Heads of the attention; they share D.
        mlp_ratio: Hidden size of the perceptron over D.
        dropout: Behind the attention and both layers of the perceptron, in [0, 1).
        attention_dropout: Of the attention itself, in [0, 1).
        drop_path: Probability that an image skips a part, in [0, 1).
        eps: Of the normalisations.

    Example:
        >>> TransformerBlock(8, num_heads=2)(torch.rand(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        feature_size: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        drop_path: float = 0.0,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(feature_size, eps)
        self.attn = Attention(feature_size, num_heads, dropout, attention_dropout)
        self.norm2 = nn.LayerNorm(feature_size, eps)
        self.mlp = Perceptron(feature_size, round(mlp_ratio * feature_size), dropout)
        self.drop_path = StochasticDepth(drop_path, mode='row')

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, T, D) to (N, T, D)."""
        tokens = tokens + self.drop_path(self.attn(self.norm1(tokens)))
        return tokens + self.drop_path(self.mlp(self.norm2(tokens)))


def resize_positions(positions: Tensor, old: Sequence[int], new: Sequence[int]) -> Tensor:
    """Position embeddings for another grid of patches, bilinearly; the class token keeps its own.

    Args:
        positions: Shape (1, 1 + h w, D), the class token's first, then the grid's row by row.
        old: Height h and width w of their grid.
        new: Height and width of the wanted one, of T patches.

    Returns:
        Shape (1, 1 + T, D).
    """
    token, grid = positions[:, :1], positions[:, 1:]
    grid = grid.unflatten(1, tuple(old)).permute(0, 3, 1, 2)  # (1, D, h, w)
    grid = F.interpolate(grid, tuple(new), mode='bilinear')
    return torch.cat([token, grid.flatten(2).transpose(1, 2)], dim=1)
