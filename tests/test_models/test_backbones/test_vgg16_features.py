import pytest
import torch
import torchvision

from mmvireid.models.backbones.vgg16_features import VGG16Features, build_vgg16

#: Layers of torchvision's VGG-16 by where it is read.
LAYERS = dict(relu=(3, 8, 15, 22), pool=(4, 9, 16, 23))


@pytest.fixture(scope='module')
def torchvision_vgg():
    with torch.device('meta'):  # the classifier alone has 500 MB
        features = torchvision.models.vgg16(weights=None).features
    features.to_empty(device='cpu')
    generator = torch.Generator().manual_seed(0)
    for parameter in features.parameters():
        torch.nn.init.normal_(parameter, std=0.05, generator=generator)
    return features.eval()


def save(features, path):
    state = {f'features.{name}': value for name, value in features.state_dict().items()}
    torch.save(state | {'classifier.0.weight': torch.zeros(2, 2)}, path)
    return str(path)


@pytest.mark.parametrize('taps', ['relu', 'pool'])
def test_it_reads_torchvisions_network(torchvision_vgg, taps, tmp_path):
    vgg = build_vgg16(save(torchvision_vgg, tmp_path / 'vgg.pth'), taps, 0, 'key')
    images = torch.rand(2, 3, 32, 16)
    expected, x = [], images
    with torch.no_grad():
        for index, layer in enumerate(torchvision_vgg[: LAYERS[taps][-1] + 1]):
            x = layer(x)
            if index in LAYERS[taps]:
                expected.append(x.clone())
        torch.testing.assert_close(vgg(images), expected)


@pytest.mark.parametrize(('taps', 'side'), [('relu', 8), ('pool', 16)])
def test_the_smallest_side_is_the_smallest(taps, side):
    vgg = VGG16Features(taps)
    assert vgg.smallest_side == side
    assert vgg(torch.rand(1, 3, side, side))[-1].shape == (1, 512, 1, 1)
    with pytest.raises(RuntimeError, match='too small'):
        vgg(torch.rand(1, 3, side, side - 1))


def test_random_weights_are_a_function_of_their_seed_alone():
    state = torch.get_rng_state()
    first, again, other = (build_vgg16('random', 'relu', seed, 'key') for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first[21].weight, again[21].weight)
    assert not torch.equal(first[21].weight, other[21].weight)
    with torch.no_grad():
        scales = [x.square().mean().item() for x in first(torch.randn(4, 3, 32, 32))]
    assert all(0.2 < scale < 5 for scale in scales)  # neither dies out nor explodes


def test_other_networks_are_refused(torchvision_vgg, tmp_path):
    resnet = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(resnet, tmp_path / 'resnet.pth')
    with pytest.raises(ValueError, match=r'resnet\.pth does not fit .*20 missing'):
        build_vgg16(str(tmp_path / 'resnet.pth'), 'relu', 0, 'key')
    normalised = {'features.1.running_mean': torch.zeros(64)}  # VGG-16 with BatchNorm
    path = save(torchvision_vgg, tmp_path / 'vgg_bn.pth')
    torch.save(torch.load(path) | normalised, path)
    with pytest.raises(ValueError, match=r'1 not in the model: 1\.running_mean'):
        build_vgg16(path, 'relu', 0, 'key')
    with pytest.raises(FileNotFoundError, match='no such file'):
        build_vgg16(str(tmp_path / 'none.pth'), 'relu', 0, 'key')
    with pytest.raises(ValueError, match="VGG16Features: `taps` is 'conv'"):
        VGG16Features('conv')
