import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision

from mmvireid.models.backbones import SobelEdges, resize_edges
from mmvireid.models.losses import PerceptualEdgeLoss

#: relu1_2, relu2_2, relu3_3, relu4_3 in torchvision's VGG-16.
LAYERS = (3, 8, 15, 22)


@pytest.fixture
def batch():
    """Stem maps (N, 64, 8, 9) and edges (N, 1, 32, 36) of 2 visible and 3 infrared images."""
    generator = torch.Generator().manual_seed(0)
    sizes = dict(visible=2, infrared=3)
    maps = {k: 3 * torch.rand(n, 64, 8, 9, generator=generator) for k, n in sizes.items()}
    edges = {k: torch.rand(n, 1, 32, 36, generator=generator) for k, n in sizes.items()}
    return maps, edges


@pytest.fixture(scope='module')
def vgg(tmp_path_factory):
    """torchvision's VGG-16 with random weights, and the file that it is saved to."""
    with torch.device('meta'):  # the classifier alone has 500 MB
        features = torchvision.models.vgg16(weights=None).features
    features.to_empty(device='cpu')
    generator = torch.Generator().manual_seed(0)
    for parameter in features.parameters():
        torch.nn.init.normal_(parameter, std=0.05, generator=generator)
    path = tmp_path_factory.mktemp('vgg') / 'vgg16.pth'
    state = {f'features.{name}': value for name, value in features.state_dict().items()}
    torch.save(state, path)
    return features.eval(), str(path)


def build(weights='random', match='none', **arguments):
    loss = PerceptualEdgeLoss(weights=weights, match=match, **arguments)
    loss.init_weights()
    return loss


def by_hand(vgg, maps, edges, resize, adapt):
    """Eqs. 2 and 3, image by image, for one way to three channels."""
    total = 0.0
    for key in maps:
        for stem_map, edge in zip(maps[key], edges[key]):
            f, e = adapt(stem_map.numpy()), resize(edge[0].numpy())
            x, y = torch.from_numpy(f)[None], torch.from_numpy(np.stack([e] * 3))[None]
            for index, layer in enumerate(vgg[:23]):
                x, y = layer(x), layer(y)
                if index in LAYERS:
                    squares = (x.double() - y.double()).pow(2).sum()
                    total += squares.item() / x.numel() / len(maps[key])
    return total


def standardised(image):
    return ((image - image.mean()) / np.sqrt(image.var() + 1e-6)).astype(np.float32)


def tile_by_hand(stem_map):
    thirds = np.zeros((3, *stem_map.shape[1:]), np.float32)
    for channel, values in enumerate(stem_map):
        thirds[channel % 3] += 3 / 64 * values
    return thirds


@pytest.mark.parametrize(
    ('arguments', 'resize', 'adapt'),
    [
        (
            dict(),
            lambda e: cv2.resize(e, (9, 8), interpolation=cv2.INTER_AREA),
            lambda f: np.stack([f.mean(0)] * 3),
        ),
        (
            dict(match='standardise'),
            lambda e: standardised(cv2.resize(e, (9, 8), interpolation=cv2.INTER_AREA)),
            lambda f: standardised(np.stack([f.mean(0)] * 3)),
        ),
        (
            dict(adapter='proj', resize='bilinear'),
            lambda e: cv2.resize(e, (9, 8), interpolation=cv2.INTER_LINEAR),
            lambda f: np.stack([f.mean(0)] * 3),
        ),
        (
            dict(adapter='tile', resize='max'),
            lambda e: e.reshape(8, 4, 9, 4).max((1, 3)),
            tile_by_hand,
        ),
    ],
)
def test_the_loss_equals_torchvisions_network_image_by_image(vgg, batch, arguments, resize, adapt):
    network, path = vgg
    with torch.no_grad():
        blocks = build(path, **arguments)(*batch)
        expected = by_hand(network, *batch, resize, adapt)
    assert blocks.shape == (4,)
    assert blocks.sum().item() == pytest.approx(expected, rel=1e-4)


def test_tiled_maps_are_what_a_tiled_convolution_sees(vgg, batch):
    weight = vgg[0][0].weight  # (64, 3, 3, 3)
    tiled = torch.stack([weight[:, channel % 3] for channel in range(64)], dim=1) * 3 / 64
    maps = batch[0]['visible']
    expected = F.conv2d(maps, tiled, padding=1)
    adapted = PerceptualEdgeLoss(adapter='tile').adapt(maps)
    torch.testing.assert_close(F.conv2d(adapted, weight, padding=1), expected)


def test_per_channel_is_the_mean_over_channels_taken_one_by_one(batch):
    maps, edges = batch
    few = {key: value[:, :4] for key, value in maps.items()}
    mean = build()
    ones = [mean({k: v[:, c : c + 1] for k, v in few.items()}, edges) for c in range(4)]
    expected = torch.stack(ones).mean(0)
    torch.testing.assert_close(build(adapter='per_channel')(few, edges), expected)


def test_random_channels_are_three_different_ones_of_the_map(batch):
    maps = batch[0]['visible']
    adapt = PerceptualEdgeLoss(adapter='random3').adapt
    seen = set()
    for _ in range(20):
        adapted = adapt(maps)
        chosen = {
            c for c in range(64) for three in range(3) if torch.equal(adapted[:, three], maps[:, c])
        }
        assert len(chosen) == 3
        seen |= chosen
    assert len(seen) > 15


def test_a_map_that_is_its_edges_costs_nothing(batch):
    _, edges = batch
    maps = {key: F.avg_pool2d(value, 4).repeat(1, 64, 1, 1) for key, value in edges.items()}
    assert build()(maps, edges).abs().max() < 1e-9
    for match in ('minmax', 'standardise'):
        scaled = {key: 5 * value + 2 for key, value in maps.items()}
        loss = build(match=match)
        assert loss(scaled, edges).max() < 1e-3 * loss(batch[0], edges).max()
        assert build()(scaled, edges).max() > 1


@pytest.fixture(scope='module')
def pictures(rendered):
    """Rendered infrared pictures, RGB in [0, 1], (6, 3, 64, 32)."""
    paths = sorted(Path(rendered('sysu')).glob('cam[36]/*/*.jpg'))[::6][:6]
    images = np.stack([cv2.resize(cv2.imread(str(path)), (32, 64)) for path in paths])
    return torch.from_numpy(images).permute(0, 3, 1, 2) / 255  # grey: BGR is RGB


@pytest.fixture
def stem():
    """A ResNet's stem, (N, 3, H, W) -> (N, 64, H / 4, W / 4)."""
    torch.manual_seed(0)
    resnet = torchvision.models.resnet18(weights=None)
    return torch.nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)


def normalised(pictures):
    return (pictures - 0.45) / 0.225


def test_no_factor_on_the_maps_lowers_the_loss(stem, pictures):
    """What a stem could reach by its scale alone, without a single edge."""
    with torch.no_grad():
        maps, edges = stem(normalised(pictures)), dict(infrared=SobelEdges()(pictures))
        lowest = {}
        for match in ('standardise', 'minmax', 'none'):
            loss = build(match=match)
            factors = (0.05, 0.2, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 5.0, 20.0)
            values = {k: loss(dict(infrared=k * maps), edges).sum().item() for k in factors}
            lowest[match] = min(values.values()) / values[1.0]
    assert PerceptualEdgeLoss(weights='random').match is build(match='standardise').match
    assert lowest['standardise'] > 0.97
    assert lowest['minmax'] > 0.97
    assert lowest['none'] < 0.7  # why it is not the default


def correlation(maps, edges):
    """Mean over the images of the correlation of the mean map with the edges."""
    pairs = zip(maps.mean(1), resize_edges(edges, maps.shape[2:])[:, 0])
    stacks = [torch.stack([one.flatten(), other.flatten()]) for one, other in pairs]
    return np.mean([torch.corrcoef(stack)[0, 1].item() for stack in stacks])


@pytest.mark.parametrize(
    ('match', 'divisor', 'low', 'high'),
    [('standardise', 1, 0.1, 1), ('none', 12, -2, -0.1)],  # edges of little scale: unlearned
)
def test_training_by_it_alone_draws_edges(stem, pictures, match, divisor, low, high):
    loss, optimizer = build(match=match), torch.optim.Adam(stem.parameters(), 2e-3)
    images, edges = normalised(pictures), SobelEdges()(pictures) / divisor
    correlations = []
    for step in range(30):
        maps = stem(images)
        if step in (0, 29):
            correlations.append(correlation(maps.detach(), edges))
        optimizer.zero_grad()
        loss(dict(infrared=maps), dict(infrared=edges)).sum().backward()
        optimizer.step()
    assert low < correlations[1] - correlations[0] < high


def test_imagenet_normalisation_shifts_both(vgg, batch):
    """By the first block, which torchvision's first four layers are."""
    network, path = vgg
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    maps, edges = batch
    with torch.no_grad():
        found = build(path, imagenet_norm=True)(maps, edges)[0]
        expected = 0
        for key in maps:
            f = (maps[key].mean(1, keepdim=True) - mean) / std
            e = (F.avg_pool2d(edges[key], 4) - mean) / std
            expected += F.mse_loss(network[:4](f), network[:4](e))
    torch.testing.assert_close(found, expected)


def test_gradients_end_at_the_stem_maps(batch):
    maps, edges = batch
    for value in (*maps.values(), *edges.values()):
        value.requires_grad_()
    loss = build(adapter='proj').train()
    loss(maps, edges).sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in maps.values())
    assert all(value.grad is None for value in edges.values())
    network = loss.vgg.network
    assert not network.training
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    assert set(loss.state_dict()) == {'adapt.weight'}


def test_it_computes_in_float32_inside_autocast(batch):
    loss = build()
    with torch.autocast('cpu', torch.bfloat16):
        half = loss({key: value.bfloat16() for key, value in batch[0].items()}, batch[1])
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, loss(*batch), rtol=0.05, atol=1e-3)


def test_it_follows_its_model(batch):
    loss = copy.deepcopy(build(channels_last=True))
    weight = loss.vgg.network[2].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    single = loss(*batch)
    double = loss.double()(*({k: v.double() for k, v in part.items()} for part in batch))
    torch.testing.assert_close(double.float(), single, rtol=1e-4, atol=1e-6)
    late = PerceptualEdgeLoss(weights='random').double()  # a Runner moves first, then initialises
    late.init_weights()
    assert late.vgg.network[0].weight.dtype == torch.float64


def test_random_weights_are_said_and_others_are_not(vgg, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmvireid.models.backbones.vgg16_features.print_log',
        lambda text, *args, **kwargs: said.append(text),
    )
    build(vgg[1])
    assert not said
    build(seed=3)
    assert said == ['`model.edge_loss.weights`: VGG-16 with random weights (seed 3), not ImageNet.']


def test_weights_that_cannot_be_had_stop_it_before_training(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError('Name or service not known')

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', offline)
    loss = PerceptualEdgeLoss()  # inference needs no weights
    with pytest.raises(RuntimeError, match=r'vgg16-.*set `model\.edge_loss\.weights` to a local'):
        loss.init_weights()
    with pytest.raises(FileNotFoundError, match=r'none\.pth'):
        build(str(tmp_path / 'none.pth'))


def test_without_weights_it_says_what_to_do(batch):
    with pytest.raises(RuntimeError, match=r'no weights yet; call `init_weights\(\)`'):
        PerceptualEdgeLoss(weights='random')(*batch)


@pytest.mark.parametrize(
    ('taps', 'side', 'wanted'), [('relu', 8, '32 x 32'), ('pool', 16, '64 x 64')]
)
def test_images_that_are_too_small_are_refused(taps, side, wanted):
    loss = build(taps=taps)
    maps = dict(visible=torch.rand(1, 64, side, side - 1))
    edges = dict(visible=torch.rand(1, 1, 4 * side, 4 * side - 4))
    message = f'images of {4 * side} x {4 * side - 4} give stem maps .* at least {wanted}'
    with pytest.raises(ValueError, match=message):
        loss(maps, edges)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(adapter='first3'), "`adapter` is 'first3', expected one of"),
        (dict(taps='conv'), "`taps` is 'conv'"),
        (dict(match='zscore'), "`match` is 'zscore'"),
        (dict(resize='area'), "PerceptualEdgeLoss: `resize` is 'area'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        PerceptualEdgeLoss(**arguments)
