import pytest
import torch
import torch.nn.functional as F
from torchvision.models.vision_transformer import EncoderBlock

from mmvireid.models.layers import PatchEmbedding, TransformerBlock, resize_positions


def to_torchvision(block, num_heads):
    """torchvision's block with the weights of ours, and PyTorch's own attention."""
    size = block.attn.proj.in_features
    other = EncoderBlock(num_heads, size, block.mlp.fc1.out_features, 0.0, 0.0).double()
    other.ln_1.eps = other.ln_2.eps = block.norm1.eps
    pairs = [
        (other.ln_1, block.norm1), (other.ln_2, block.norm2), (other.mlp[0], block.mlp.fc1),
        (other.mlp[3], block.mlp.fc2), (other.self_attention.out_proj, block.attn.proj),
    ]  # fmt: skip
    for theirs, ours in pairs:
        theirs.load_state_dict(ours.state_dict())
    other.self_attention.in_proj_weight.data = block.attn.qkv.weight.data
    other.self_attention.in_proj_bias.data = block.attn.qkv.bias.data
    return other


@pytest.fixture
def block():
    torch.manual_seed(0)
    block = TransformerBlock(12, num_heads=3, mlp_ratio=2.0, eps=1e-3).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return block


def test_a_block_is_that_of_torchvision(block):
    x = torch.randn(4, 7, 12, dtype=torch.float64)
    torch.testing.assert_close(block(x), to_torchvision(block, 3)(x))


def test_attention_equals_a_loop_over_heads_and_tokens(block):
    x = torch.randn(1, 5, 12, dtype=torch.float64)
    q, k, v = block.attn.qkv(x)[0].chunk(3, dim=1)
    rows = []
    for i in range(5):
        heads = []
        for h in (slice(0, 4), slice(4, 8), slice(8, 12)):
            share = torch.stack([q[i, h] @ k[j, h] / 2 for j in range(5)]).softmax(0)
            heads.append(sum(share[j] * v[j, h] for j in range(5)))
        rows.append(block.attn.proj(torch.cat(heads)))
    torch.testing.assert_close(block.attn(x)[0], torch.stack(rows))


@pytest.mark.parametrize('part', ['attn', 'mlp'])
def test_an_image_skips_a_part_as_often_as_said_and_on_average_never(part, block):
    block.drop_path.p = 0.25
    other = dict(attn=block.mlp.fc2, mlp=block.attn.proj)[part]
    torch.nn.init.zeros_(other.weight)
    torch.nn.init.zeros_(other.bias)  # of the other part nothing is left
    x = torch.randn(1, 3, 12, dtype=torch.float64)
    whole = block.eval()(x) - x
    parts = block.train()(x.expand(2000, -1, -1)) - x
    skipped = (parts == 0).flatten(1).all(1)
    assert skipped.double().mean().item() == pytest.approx(0.25, abs=0.04)
    kept = parts[~skipped]
    torch.testing.assert_close(kept, (whole / 0.75).expand(len(kept), -1, -1))


def test_dropout_is_behind_attention_and_both_layers(block):
    dropping = TransformerBlock(12, 3, 2.0, dropout=0.5).double()
    x = torch.ones(400, 2, 12, dtype=torch.float64)
    assert (dropping.attn(x) == 0).double().mean().item() == pytest.approx(0.5, abs=0.05)
    assert (dropping.mlp(x) == 0).double().mean().item() == pytest.approx(0.5, abs=0.05)
    hidden = []
    dropping.mlp.fc2.register_forward_pre_hook(lambda _, args: hidden.append(args[0]))
    dropping.mlp(x)
    assert (hidden[0] == 0).double().mean().item() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(dropping.eval()(x), dropping(x))


def test_patches_are_windows_row_by_row():
    embedding = PatchEmbedding(5, patch_size=4, stride=3).double()
    images = torch.rand(2, 3, 16, 11, dtype=torch.float64)
    windows = F.unfold(images, 4, stride=3).transpose(1, 2)  # (N, T, 48)
    expected = windows @ embedding.proj.weight.flatten(1).T + embedding.proj.bias
    torch.testing.assert_close(embedding(images), expected)
    assert expected.shape == (2, 5 * 3, 5)


def test_positions_are_resized_bilinearly_and_the_token_keeps_its_own():
    """Of a plane, a linear map of row and column: the same plane at the new centres."""
    old, new = (14, 14), (21, 10)

    def plane(height, width):
        rows = (torch.arange(height).double() + 0.5) / height
        columns = (torch.arange(width).double() + 0.5) / width
        return 3 * rows[:, None] - 2 * columns

    positions = torch.cat([torch.tensor([7.0]).double(), plane(*old).flatten()]).view(1, -1, 1)
    resized = resize_positions(positions, old, new)
    assert resized.shape == (1, 211, 1)
    assert resized[0, 0] == 7
    inner = (slice(1, -1), slice(1, -1))  # at the rim there is nothing to lie between
    torch.testing.assert_close(resized[0, 1:, 0].view(new)[inner], plane(*new)[inner])
    torch.testing.assert_close(resize_positions(positions, old, old), positions)
