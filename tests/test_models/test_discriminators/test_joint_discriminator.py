import cv2
import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.discriminators import JointDiscriminator
from mmvireid.registry import MODELS


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    net = JointDiscriminator(5, 4, 6, num_image_layers=2, num_joint_layers=1)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net


def test_has_the_released_size():
    with torch.device('meta'):
        net = MODELS.build(dict(type='JointDiscriminator', feature_channels=2048))
        found = net(torch.empty(2, 3, 128, 128), torch.empty(2, 2048, 24, 12))
    assert sum(p.numel() for p in net.parameters()) == 11_810_816
    assert found.shape == (2, 1, 4, 4)
    widths = [p.shape[0] for p in net.parameters() if p.ndim == 4]
    assert widths == [64, 128, 256, 64, 512, 1024, 1]


def test_weights_are_drawn_as_released():
    for name, value in JointDiscriminator(256, base_channels=16).state_dict().items():
        if name.endswith('bias'):
            assert not value.any(), name
        else:
            assert value.std().item() == pytest.approx(0.02, rel=0.15), name


def test_equals_functional_calls_and_opencvs_resize(tiny):
    def unit(maps):
        return F.instance_norm(maps)

    images, maps = torch.randn(2, 3, 32, 16), torch.randn(2, 5, 6, 3)
    w1, b1, w2, b2, wf, bf, wj, bj, wl = (p.detach() for p in tiny.parameters())
    x = F.leaky_relu(F.conv2d(images, w1, b1, stride=2, padding=1), 0.2)
    x = F.leaky_relu(unit(F.conv2d(x, w2, b2, stride=2, padding=1)), 0.2)  # (2, 8, 8, 4)
    f = F.leaky_relu(torch.einsum('oc,nchw->nohw', wf[..., 0, 0], maps) + bf[:, None, None], 0.2)
    rows = [cv2.resize(row.permute(1, 2, 0).numpy(), (4, 8)) for row in f]  # width first
    f = torch.stack([torch.from_numpy(row).permute(2, 0, 1) for row in rows])
    x = F.leaky_relu(unit(F.conv2d(torch.cat([x, f], 1), wj, bj, stride=2, padding=1)), 0.2)
    expected = F.conv2d(x, wl, padding=1)
    torch.testing.assert_close(tiny(images, maps), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(tiny.eval()(images, maps), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('image_size', [(32, 32), (32, 16), (24, 56), (37, 19)])
@pytest.mark.parametrize('map_size', [(24, 12), (1, 1), (3, 7)])
def test_the_map_follows_the_image(tiny, image_size, map_size):
    tiny.check_size(image_size)
    logits = tiny(torch.randn(2, 3, *image_size), torch.randn(2, 5, *map_size))
    assert logits.shape == (2, 1, image_size[0] // 8, image_size[1] // 8)


def test_judges_rows_by_themselves_as_pairs(tiny):
    images, maps = torch.randn(3, 3, 16, 16), torch.randn(3, 5, 4, 2)
    together = tiny(images, maps)
    torch.testing.assert_close(tiny(images[1:2], maps[1:2]), together[1:2])
    mixed = tiny(images, maps.roll(1, 0))
    assert (mixed != together).flatten(1).any(dim=1).all()


def test_gradient_reaches_image_and_map(tiny):
    images = torch.randn(2, 3, 16, 16, requires_grad=True)
    maps = torch.randn(2, 5, 4, 2, requires_grad=True)
    tiny(images, maps).square().sum().backward()
    assert images.grad.any() and (maps.grad != 0).any(dim=1).all()


def test_images_that_are_too_small_are_named():
    net = JointDiscriminator(5, 2)
    with pytest.raises(ValueError, match=r'JointDiscriminator: `input_size` is \(32, 32\)'):
        net.check_size((32, 32))
