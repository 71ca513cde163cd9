import pytest
import torch
from torch import nn

from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS


@MODELS.register_module(force=True)
class PartOfATest(nn.Module):
    """A layer that takes images of even height."""

    def __init__(self, in_channels: int, factor: float = 1.0) -> None:
        super().__init__()
        self.linear, self.factor = nn.Linear(in_channels, 1), factor

    def check_size(self, size) -> None:
        if size[0] % 2:
            raise ValueError('odd height')

    def forward(self, x):
        return self.factor * self.linear(x)


class Method(BaseReID):
    def loss(self, inputs, data_samples):
        return {}

    def extract(self, inputs):
        return inputs


PART = dict(type='PartOfATest')


@pytest.fixture
def method():
    torch.manual_seed(0)
    return Method(loss_weights=dict(adversarial=1.0, off=0.0, out=None))


def test_a_part_stands_under_its_name_with_the_sizes_that_follow(method):
    part = method.add_part('neck', PART, in_channels=3)
    assert method.neck is part
    assert list(method.state_dict()) == ['neck.linear.weight', 'neck.linear.bias']
    assert part.linear.weight.shape == (1, 3)
    with pytest.raises(ValueError, match=r"`Method.head` has {'in_channels': 4}, expected"):
        method.add_part('head', dict(PART, in_channels=4), in_channels=3)


def test_a_part_that_is_left_out_leaves_no_trace(method):
    assert method.add_part('neck', None, in_channels=3) is None
    assert method.add_twins('neck', None, equal=True) is None
    assert method.add_twins('neck', None, equal=False) is None
    assert list(method.named_children()) == [('data_preprocessor', method.data_preprocessor)]


def test_a_part_is_asked_about_its_images(method):
    method.add_part('neck', PART, (4, 3), in_channels=3)
    for call in (method.add_part, method.add_twins):
        more = dict(equal=True) if call == method.add_twins else {}
        with pytest.raises(ValueError, match='odd height'):
            call('head', PART, image_size=(3, 4), in_channels=3, **more)


@pytest.mark.parametrize('equal', [True, False])
def test_each_modality_has_a_network_of_its_own(equal, method):
    first = method.add_twins('encoder', PART, equal=equal, in_channels=3)
    second = method.twin('encoder', 'infrared')
    assert first is method.visible_encoder and second is method.infrared_encoder
    assert first is not second and first.linear.weight is not second.linear.weight
    assert torch.equal(first.linear.weight, second.linear.weight) == equal


def test_twins_see_their_own_images(method):
    method.add_twins('encoder', PART, equal=True, in_channels=3)
    method.infrared_encoder.factor = -1.0
    image = torch.rand(2, 3)
    out = method.visible_encoder(image)
    # whatever the order of the inputs, visible ones come first
    both = method.run_twins('encoder', dict(infrared=image, visible=image))
    torch.testing.assert_close(both, torch.cat([out, -out]))
    torch.testing.assert_close(method.run_twins('encoder', dict(infrared=image)), -out)


def test_losses_are_built_by_kind(method):
    method.add_losses(dict(one=dict(PART, in_channels=1), two=dict(PART, in_channels=2)))
    assert [(kind, loss.linear.in_features) for kind, loss in method.losses.items()] == [
        ('one', 1),
        ('two', 2),
    ]


def test_a_part_and_its_term_come_together(method):
    method.check_needed_by('adversarial', judge=PART)
    method.check_needed_by('off', judge=None)
    method.check_needed_by('out', judge=None)
    for term, cfg, weight in (('adversarial', None, 1.0), ('off', PART, 0), ('out', PART, 0)):
        message = rf'Method: `loss_weights.{term}` is {weight} with `judge` .*, expected a positive'
        with pytest.raises(ValueError, match=message):
            method.check_needed_by(term, judge=cfg)


def test_a_second_term_needs_the_part_and_the_part_not_it(method):
    method.check_needed_by('adversarial', ['off', 'out'], judge=PART)
    with pytest.raises(ValueError, match='`loss_weights.adversarial` is 1.0 with `judge` None'):
        method.check_needed_by('off', ['adversarial'], judge=None)
