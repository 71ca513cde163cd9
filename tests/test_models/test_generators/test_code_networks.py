import pytest
import torch
from torch import nn

from mmvireid.models.generators import CodeNetworks, Codes


class Prototypes(nn.Module):
    """The mean of the images that pass together, and who took it."""

    def __init__(self, own):
        super().__init__()
        self.own = own

    def forward(self, images):
        return images.mean().expand(len(images), 1, 1, 1) + self.own


class Attributes(Prototypes):
    def forward(self, images):
        return (images.mean((1, 2, 3)).view(-1, 1, 1) + self.own,) * 3


class Decoder(nn.Module):
    passes = 0

    def forward(self, codes):
        self.passes += 1
        return codes.prototype + 10 * codes.style[..., None]


class Networks(CodeNetworks, nn.Module):
    def __init__(self):
        super().__init__()
        for modality, own in (('visible', 0.25), ('infrared', 0.5)):
            self.add_module(f'{modality}_prototype_encoder', Prototypes(own))
            self.add_module(f'{modality}_attribute_encoder', Attributes(own))
        self.decoder = Decoder()

    def twin(self, name, modality):
        return getattr(self, f'{modality}_{name}')


@pytest.fixture
def images():
    numbers = torch.arange(3.0).view(3, 1, 1, 1).expand(-1, 3, 2, 2)
    return dict(infrared=numbers + 20, visible=numbers + 10)


def test_each_modality_is_encoded_by_its_own_networks(images):
    codes = Networks().encode_by_modality(images)
    assert list(codes) == ['visible', 'infrared']
    assert codes['visible'].prototype.flatten().tolist() == [11.25] * 3
    assert codes['visible'].pose.flatten().tolist() == [10.25, 11.25, 12.25]
    assert codes['infrared'].illumination.flatten().tolist() == [20.5, 21.5, 22.5]
    alone = Networks().encode_by_modality(dict(infrared=images['infrared']))
    assert list(alone) == ['infrared']
    assert torch.equal(alone['infrared'].style, codes['infrared'].style)


def test_groups_pass_by_themselves_and_rows_keep_their_order(images):
    codes = Networks().encode_by_modality(images, groups=(1, 2))
    assert codes['visible'].prototype.flatten().tolist() == [10.25, 11.75, 11.75]
    assert codes['visible'].style.flatten().tolist() == [10.25, 11.25, 12.25]


def test_images_of_all_names_are_decoded_in_one_pass():
    networks = Networks()

    def codes(count, value):
        attribute = torch.full((count, 1, 1), value)
        return Codes(torch.full((count, 1, 1, 1), value), attribute, attribute, attribute)

    made = networks.decode_by_name(dict(b=codes(2, 1.0), a=codes(1, 2.0)))
    assert {name: image.flatten().tolist() for name, image in made.items()} == dict(
        b=[11.0, 11.0], a=[22.0]
    )
    assert list(made) == ['b', 'a'] and networks.decoder.passes == 1
