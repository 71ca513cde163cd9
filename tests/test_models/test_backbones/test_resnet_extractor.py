import pytest
import torch
import torchvision

from mmvireid.models.backbones import ResNetExtractor


@pytest.mark.parametrize(
    ('depth', 'num_stages', 'channels'), [(18, 1, 64), (18, 2, 128), (18, 4, 512), (50, 3, 1024)]
)
def test_pretrained_equals_torchvision(tmp_path, depth, num_stages, channels):
    resnet = getattr(torchvision.models, f'resnet{depth}')(weights=None).eval()
    torch.save(resnet.state_dict(), tmp_path / 'imagenet.pth')
    checkpoint = dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth'))
    net = ResNetExtractor(depth, num_stages, init_cfg=checkpoint).eval()
    net.init_weights()
    image = torch.randn(1, 3, 96, 64)
    with torch.no_grad():
        found = net(image)
        x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(image))))
        for index in range(num_stages):
            x = getattr(resnet, f'layer{index + 1}')(x)
    torch.testing.assert_close(found, x)
    assert net.out_channels == channels
    assert found.shape == (1, channels, 96 // net.stride, 64 // net.stride)


def test_weights_are_loaded_once(tmp_path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / 'imagenet.pth')
    net = ResNetExtractor(18, 1, init_cfg=dict(checkpoint=str(tmp_path / 'imagenet.pth')))
    net.init_weights()
    torch.nn.init.zeros_(net.stages.conv1.weight)  # as training would change it
    net.init_weights()
    assert not net.stages.conv1.weight.any()


def test_weights_of_another_depth_are_refused(tmp_path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / 'other.pth')
    net = ResNetExtractor(34, 2, init_cfg=dict(checkpoint=str(tmp_path / 'other.pth')))
    with pytest.raises(ValueError, match='does not fit the model'):
        net.init_weights()


@pytest.mark.parametrize('num_stages', [0, 5])
def test_bad_arguments_are_named(num_stages):
    with pytest.raises(ValueError, match=f'`num_stages` is {num_stages}, expected 1 to 4'):
        ResNetExtractor(18, num_stages)
