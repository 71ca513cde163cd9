import pytest
import torch
import torchvision

from mmvireid.models.backbones.resnet_part import (
    STAGES,
    ResNetPart,
    build_resnet,
    load_resnet_parts,
    set_stride,
    stage_channels,
)


def run(resnet, image, num_stages):
    """torchvision's own modules, up to a stage."""
    x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(image))))
    for name in STAGES[1 : num_stages + 1]:
        x = getattr(resnet, name)(x)
    return x


@pytest.mark.parametrize('cut', [1, 2, 4])
def test_two_parts_in_a_row_are_the_network(cut):
    resnet = build_resnet(18).eval()
    first, second = ResNetPart(resnet, STAGES[:cut]), ResNetPart(resnet, STAGES[cut:])
    image = torch.randn(1, 3, 48, 32)
    with torch.no_grad():
        half = first(image)
        torch.testing.assert_close(half, run(resnet, image, cut - 1))
        torch.testing.assert_close(second(half), run(resnet, image, 4))
    assert first.out_channels == half.shape[1]
    assert second.out_channels == 512
    assert set(first.state_dict()) | set(second.state_dict()) | {'fc.weight', 'fc.bias'} == set(
        resnet.state_dict()
    )


@pytest.mark.parametrize('num_blocks', [1, 2])
def test_the_first_blocks_of_a_stage(num_blocks):
    resnet = build_resnet(34).eval()
    part = ResNetPart(resnet, ('layer3', 'layer4'), num_blocks=num_blocks).eval()
    x = torch.randn(1, 128, 6, 4)
    expected = resnet.layer3(x)  # whole: only the last stage is cut
    for index in range(num_blocks):
        expected = resnet.layer4[index](expected)
    torch.testing.assert_close(part(x), expected)
    assert part.left_out == tuple(f'layer4.{index}.' for index in range(num_blocks, 3))


@pytest.mark.parametrize(('depth', 'channels'), [(18, (64, 128)), (50, (256, 512))])
@pytest.mark.parametrize('stride', [1, 2])
def test_stride_and_channels(depth, channels, stride):
    resnet = build_resnet(depth)
    set_stride(resnet.layer2, stride)
    assert (stage_channels(resnet.layer1), stage_channels(resnet.layer2)) == channels
    size = resnet.layer2(torch.randn(2, channels[0], 8, 4)).shape
    assert size == (2, channels[1], 8 // stride, 4 // stride)


@pytest.mark.parametrize('wrapped', [False, True])
def test_each_part_takes_its_own_weights(tmp_path, wrapped):
    weights = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(dict(state_dict=weights) if wrapped else weights, tmp_path / 'resnet.pth')
    stem = ResNetPart(build_resnet(18), STAGES[:2])
    trunk = ResNetPart(build_resnet(18), ('layer4',), non_local=dict(layer4=1), num_blocks=1)
    untouched = {k: v.clone() for k, v in trunk.state_dict().items() if 'non_local' in k}
    load_resnet_parts([stem, trunk], str(tmp_path / 'resnet.pth'), key='model.somewhere')
    for part in (stem, trunk):
        for name, value in part.state_dict().items():
            assert value.equal(untouched.get(name, weights.get(name))), name
    assert len(untouched) > 0


def test_a_file_that_lacks_a_weight_is_refused(tmp_path):
    weights = torchvision.models.resnet18(weights=None).state_dict()
    del weights['layer2.1.conv1.weight']
    torch.save(weights, tmp_path / 'resnet.pth')
    parts = [ResNetPart(build_resnet(18), STAGES[2:])]
    with pytest.raises(ValueError, match=r'layer2\.1\.conv1\.weight'):
        load_resnet_parts(parts, str(tmp_path / 'resnet.pth'), key='model.somewhere')


def test_unknown_depths_are_named():
    with pytest.raises(ValueError, match='`depth` is 20, expected one of'):
        build_resnet(20)
