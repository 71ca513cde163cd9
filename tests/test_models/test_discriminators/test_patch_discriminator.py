import pytest
import torch

from mmvireid.models.discriminators import PatchDiscriminator


@pytest.mark.parametrize(('num_layers', 'field'), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_square_of_pixels(num_layers, field):
    torch.manual_seed(0)
    net = PatchDiscriminator(1, base_channels=2, num_layers=num_layers).double().eval()
    image = torch.randn(1, 1, 144, 144, dtype=torch.float64, requires_grad=True)
    logits = net(image)
    centre = logits.shape[2] // 2
    logits[0, 0, centre, centre].backward()
    touched = image.grad[0, 0] != 0
    for axis in (0, 1):
        seen = touched.any(dim=axis).nonzero().flatten()
        assert seen[-1] - seen[0] + 1 == field
    rows, columns = (touched.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    outside = torch.ones(144, 144, dtype=torch.bool)
    outside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = False
    changed = net(image.detach() + 100 * outside)
    torch.testing.assert_close(changed[..., centre, centre], logits[..., centre, centre].detach())
    assert not torch.allclose(changed, logits)


@pytest.mark.parametrize('size', [(384, 128), (64, 32), (24, 40)])
def test_one_logit_per_patch(size):
    logits = PatchDiscriminator(5, base_channels=2)(torch.randn(2, 5, *size))
    assert logits.shape == (2, 1, size[0] // 8 - 2, size[1] // 8 - 2)


def test_channels_double_up_to_eight_times():
    found = sum(p.numel() for p in PatchDiscriminator(3, 64, 3).parameters())
    convolutions = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 1  # biases
    assert found == convolutions + 2 * (128 + 256 + 512)  # BatchNorm
    wide = [p for p in PatchDiscriminator(3, 2, 5).parameters() if p.ndim == 4]
    assert [p.shape[0] for p in wide] == [2, 4, 8, 16, 16, 16, 1]
