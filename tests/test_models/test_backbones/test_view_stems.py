from itertools import pairwise

import torch
import torchvision

from mmvireid.models.backbones import TwoStreamResNet, ViewStems


def test_each_view_has_its_stem_and_a_test_image_has_all():
    stems = ViewStems([torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(3, 4, 1)])
    first, second = torch.rand(2, 5, 3, 4, 2)
    a, b = stems
    torch.testing.assert_close(stems(torch.cat([first, second])), torch.cat([a(first), b(second)]))
    stems.eval()
    torch.testing.assert_close(stems(first), (a(first) + b(first)) / 2)


def test_four_stems_of_one_network_start_alike_and_learn_apart(tmp_path):
    resnet = torchvision.models.resnet18(weights=None)
    torch.save(resnet.state_dict(), tmp_path / 'resnet.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth'))
    net = TwoStreamResNet(18, num_stages=2, num_stems=2, init_cfg=init_cfg)
    net.init_weights()
    names = {name.rsplit('.', 2)[0] for name in net.stems.state_dict()}
    assert names == {f'{key}.{view}' for key in ('visible', 'infrared') for view in (0, 1)}
    convolutions = [stem.conv1.weight for stems in net.stems.values() for stem in stems]
    assert all(torch.equal(weight, resnet.conv1.weight) for weight in convolutions)
    inputs = dict(visible=torch.rand(2, 3, 32, 16), infrared=torch.rand(2, 3, 32, 16))
    net.train()(inputs).square().sum().backward()
    gradients = [weight.grad for weight in convolutions]
    assert all((a - b).abs().max() > 0 for a, b in pairwise(gradients))
