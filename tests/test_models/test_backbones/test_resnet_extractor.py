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


def test_missing_weights_name_the_class(monkeypatch):
    """It may stand anywhere in a config: the key must not claim to know where."""

    def offline(*args, **kwargs):
        raise OSError('Name or service not known')

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', offline)
    net = ResNetExtractor(18, 1, init_cfg=dict(checkpoint='torchvision://resnet18'))
    with pytest.raises(RuntimeError, match=r'`ResNetExtractor\.init_cfg\.checkpoint` to a local'):
        net.init_weights()


@pytest.mark.parametrize('num_stages', [0, 5])
def test_bad_arguments_are_named(num_stages):
    with pytest.raises(ValueError, match=f'`num_stages` is {num_stages}, expected 1 to 4'):
        ResNetExtractor(18, num_stages)


@pytest.mark.parametrize('last_stride', [None, 2, 1])
def test_last_stride_is_that_of_the_last_stage(last_stride):
    torch.manual_seed(0)
    resnet = torchvision.models.resnet18(weights=None).eval()
    net = ResNetExtractor(18, 2, last_stride).eval()
    net.stages.load_state_dict(
        {k: v for k, v in resnet.state_dict().items() if k in net.stages.state_dict()}
    )
    first = resnet.layer2[0]
    if last_stride == 1:
        first.conv1.stride = first.downsample[0].stride = (1, 1)
    image = torch.randn(1, 3, 64, 32)
    with torch.no_grad():
        found = net(image)
        x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(image))))
        torch.testing.assert_close(found, resnet.layer2(resnet.layer1(x)))
    assert found.shape[2:] == (64 // net.stride, 32 // net.stride)
    assert net.stride == (4 if last_stride == 1 else 8)


def test_trunk_of_resnet50_has_the_released_size():
    with torch.device('meta'):
        net = ResNetExtractor(50, 4, last_stride=1)
        assert net(torch.empty(2, 3, 384, 192)).shape == (2, 2048, 24, 12)
    assert sum(p.numel() for p in net.parameters()) == 23_508_032
    assert net.stride == 16


@pytest.mark.parametrize(('num_stages', 'last_stride'), [(4, 3), (4, 0), (1, 1)])
def test_bad_last_stride_is_named(num_stages, last_stride):
    with pytest.raises(ValueError, match=f'`last_stride` is {last_stride}, expected 1 or 2'):
        ResNetExtractor(18, num_stages, last_stride)
