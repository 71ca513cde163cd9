import torchvision

from mmvireid.models.layers import IMAGENET_MEAN, IMAGENET_STD


def test_are_what_torchvisions_weights_ask_for():
    transform = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms()
    assert tuple(transform.mean) == IMAGENET_MEAN
    assert tuple(transform.std) == IMAGENET_STD
