import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from mmvireid.models.backbones import ImageNetInput
from mmvireid.registry import MODELS


@pytest.fixture
def images():
    return 2 * torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) - 1


@pytest.mark.parametrize('size', [(48, 24), (16, 16), (8, 5)])
def test_equals_opencv_and_torchvision(images, size):
    expected = []
    for image in (images + 1) / 2:
        resized = cv2.resize(np.ascontiguousarray(image.permute(1, 2, 0)), size[::-1])
        rows = torch.from_numpy(resized).permute(2, 0, 1)
        expected.append(functional.normalize(rows, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    found = MODELS.build(dict(type='ImageNetInput', size=size))(images)
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-4, atol=1e-5)


def test_gives_the_released_size(images):
    assert ImageNetInput()(images).shape == (2, 3, 384, 192)


def test_has_nothing_to_save_and_follows_its_model(images):
    module = ImageNetInput((8, 4))
    assert not module.state_dict() and not list(module.parameters())
    double = torch.nn.Sequential(module).double()(images.double())
    assert double.dtype == torch.float64


def test_gradient_passes_to_the_image(images):
    images = images.double().requires_grad_()
    module = ImageNetInput((6, 3)).double()
    assert torch.autograd.gradcheck(module, (images[:1, :, :4, :4],))
    ImageNetInput((32, 16))(images.float()).square().sum().backward()
    assert images.grad.ne(0).all()


def test_half_precision_images_are_computed_in_float32(images):
    with torch.autocast('cpu', torch.bfloat16):
        found = ImageNetInput((32, 16))(images.bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, ImageNetInput((32, 16))(images.bfloat16().float()))
