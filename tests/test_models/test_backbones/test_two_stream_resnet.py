import pytest
import torch
import torchvision

from mmvireid.models.backbones import TwoStreamResNet


def count(parameters):
    return sum(parameter.numel() for parameter in parameters)


def test_agw_has_the_released_parameters():
    net = TwoStreamResNet(50, non_local=dict(layer2=2, layer3=3), non_local_inner=1)
    extra = {
        layer: count(p for name, p in net.named_parameters() if f'{layer}.non_local' in name)
        for layer in ('layer1', 'layer2', 'layer3', 'layer4')
    }
    assert extra == dict(layer1=0, layer2=7_174, layer3=21_513, layer4=0)
    neck_and_classifier = 2 * 2048 + 395 * 2048
    assert round((count(net.parameters()) + neck_and_classifier) / 1e6, 2) == 24.36


def reference(resnet, image, last_stride):
    """torchvision's own forward, up to layer4."""
    for block in (resnet.layer4[0],):
        conv = block.conv2 if hasattr(block, 'conv3') else block.conv1
        conv.stride = block.downsample[0].stride = (last_stride, last_stride)
    x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(image))))
    for stage in (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4):
        x = stage(x)
    return x


@pytest.mark.parametrize(
    ('depth', 'split'),
    [
        *((depth, split) for depth in (18, 50) for split in ('stem', 'layer2', 'layer4')),
        *((18, split) for split in ('none', 'conv1')),
    ],
)
@pytest.mark.parametrize('last_stride', [1, 2])
def test_pretrained_equals_torchvision(tmp_path, depth, last_stride, split):
    resnet = getattr(torchvision.models, f'resnet{depth}')(weights=None).eval()
    torch.save(resnet.state_dict(), tmp_path / 'imagenet.pth')
    net = TwoStreamResNet(
        depth,
        split,
        last_stride=last_stride,
        non_local=dict(layer2=1),
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth')),
    )
    net.init_weights()
    image = torch.randn(2, 3, 48, 32, dtype=torch.float64)
    with torch.no_grad():
        expected = reference(resnet.double(), image, last_stride)
        both = net.double().eval()(
            dict(infrared=image[1:], visible=image[:1])
        )  # any order of the dict
    torch.testing.assert_close(both, expected)
    assert both.shape[1] == net.out_channels


def test_each_modality_goes_through_its_own_stem():
    net = TwoStreamResNet(18).eval()
    image = torch.randn(1, 3, 32, 16)
    before = net(dict(visible=image)), net(dict(infrared=image))
    assert not torch.allclose(*before)
    torch.nn.init.zeros_(net.stems['infrared'].conv1.weight)
    torch.testing.assert_close(net(dict(visible=image)), before[0])
    assert not torch.allclose(net(dict(infrared=image)), before[1])


def test_inner_width_of_half_the_channels():
    net = TwoStreamResNet(18, non_local=dict(layer3=2), non_local_inner=None)
    names = [name for name, _ in net.trunk.layer3.named_children()]
    assert names == ['0', 'non_local_0', '1', 'non_local_1']
    assert net.trunk.layer3.non_local_0.g.out_channels == 128


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(depth=20), '`depth` is 20'),
        (dict(split='layer5'), "`split` is 'layer5'"),
        (dict(last_stride=3), '`last_stride` is 3'),
        (dict(num_stages=1), '`num_stages` is 1'),
        (dict(num_stages=3, split='layer4'), "`split` is 'layer4'"),
        (dict(non_local=dict(stem=1)), 'stem'),
        (dict(depth=18, non_local=dict(layer2=3)), '3 blocks in layer2'),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        TwoStreamResNet(**arguments)


@pytest.mark.parametrize(('file_depth', 'depth'), [(18, 50), (34, 18), (18, 34)])
def test_weights_of_another_depth_are_refused(tmp_path, file_depth, depth):
    resnet = getattr(torchvision.models, f'resnet{file_depth}')(weights=None)
    torch.save(resnet.state_dict(), tmp_path / 'other.pth')
    net = TwoStreamResNet(depth, init_cfg=dict(checkpoint=str(tmp_path / 'other.pth')))
    with pytest.raises(ValueError, match='does not fit the model'):
        net.init_weights()


def test_a_cut_network_is_the_beginning_of_the_whole(tmp_path):
    resnet = torchvision.models.resnet18(weights=None).eval().double()
    torch.save(resnet.state_dict(), tmp_path / 'imagenet.pth')
    net = TwoStreamResNet(
        18,
        num_stages=3,
        last_stride=2,
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth')),
    ).double()
    net.init_weights()
    image = torch.randn(1, 3, 48, 32, dtype=torch.float64)
    with torch.no_grad():
        x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(image))))
        expected = resnet.layer3(resnet.layer2(resnet.layer1(x)))
        torch.testing.assert_close(net.eval()(dict(visible=image)), expected)
    assert net.out_channels == 256
    assert not hasattr(net.trunk, 'layer4')


def test_a_trained_models_backbone_can_be_taken_whole(tmp_path):
    torch.manual_seed(0)
    trained = TwoStreamResNet(18, num_stages=2)
    model = torch.nn.ModuleDict(dict(backbone=trained, head=torch.nn.Linear(2, 2)))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'trained.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'trained.pth'))
    taken = TwoStreamResNet(18, num_stages=2, init_cfg=dict(init_cfg, prefix='backbone.'))
    taken.init_weights()
    for (name, ours), theirs in zip(taken.state_dict().items(), trained.state_dict().values()):
        assert torch.equal(ours, theirs), name
    with pytest.raises(ValueError, match='missing'):  # a ResNet's names are looked for
        TwoStreamResNet(18, num_stages=2, init_cfg=init_cfg).init_weights()
    with pytest.raises(ValueError, match=r"`model\.backbone\.init_cfg` is .*'prefx'"):
        TwoStreamResNet(18, num_stages=2, init_cfg=dict(init_cfg, prefx='x')).init_weights()


def test_one_stream_is_one_resnet_for_both():
    torch.manual_seed(0)
    net = TwoStreamResNet(18, split='none', num_stages=2).train()
    resnet = torchvision.models.resnet18(weights=None)
    own = {k: v for k, v in resnet.state_dict().items() if k in net.trunk.state_dict()}
    net.trunk.load_state_dict(own)
    assert count(net.parameters()) == count(net.trunk.parameters())
    images = torch.rand(5, 3, 32, 16)
    found = net(dict(visible=images[:3], infrared=images[3:]))
    x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(images))))
    resnet.layer2[0].conv1.stride = resnet.layer2[0].downsample[0].stride = (1, 1)
    torch.testing.assert_close(found, resnet.layer2(resnet.layer1(x)))


def test_private_first_convolutions_are_zero_padding():
    """A network of two input channels, of which each modality has one and a zero in the other."""
    torch.manual_seed(0)
    net = TwoStreamResNet(18, split='conv1', num_stages=2).train()
    grey = torch.rand(5, 1, 32, 16)
    equal = grey.expand(-1, 3, -1, -1)
    found = net(dict(visible=equal[:3], infrared=equal[3:]))
    conv = torch.nn.Conv2d(2, 64, 7, stride=2, padding=3, bias=False)
    kernels = [net.stems[key].conv1.weight.sum(1, keepdim=True) for key in net.stems]
    conv.weight.data = torch.cat(kernels, 1)
    padded = torch.cat([grey, torch.zeros_like(grey)], 1)
    padded[3:] = padded[3:].flip(1)
    assert list(net.stems['visible'].state_dict()) == ['conv1.weight']
    torch.testing.assert_close(found, net.trunk(conv(padded)), rtol=1e-4, atol=1e-4)


def test_a_stem_without_its_relu():
    torch.manual_seed(0)
    net = TwoStreamResNet(18, num_stages=2, stem_relu=False).eval()
    image = torch.rand(2, 3, 32, 16)
    stem = net.stems['visible']
    found = net.embed_stems(dict(visible=image))['visible']
    torch.testing.assert_close(found, stem.maxpool(stem.bn1(stem.conv1(image))))
    assert found.min() < 0
    assert isinstance(net.trunk.layer1[0].relu, torch.nn.ReLU)
