import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmvireid.models.base import Stage, StagedReID


class Toy(StagedReID):
    """Two linear layers with BatchNorm; each has a term of its own."""

    def __init__(self, **kwargs):
        super().__init__(loss_weights=dict(left=1.0, right=2.0), **kwargs)
        self.left = nn.Sequential(nn.Linear(24, 4), nn.BatchNorm1d(4))
        self.right = nn.Sequential(nn.Linear(24, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.right[2].bias.requires_grad_(False)  # never trainable

    def loss(self, inputs, data_samples):
        images = torch.cat(list(inputs.values())).flatten(1)
        return dict(left=self.left(images).pow(3).mean(), right=self.right(images).pow(2).mean())

    def extract(self, inputs):
        return torch.cat([self.left(images.flatten(1)) for images in inputs.values()])


@pytest.fixture
def toy():
    torch.manual_seed(0)
    return Toy()


@pytest.fixture
def step(toy, training_batch):
    """``step()`` trains one iteration and returns the children that moved."""
    trainable = [parameter for parameter in toy.parameters() if parameter.requires_grad]
    wrapper = OptimWrapper(torch.optim.SGD(trainable, lr=0.1, momentum=0.9))

    def call():
        toy.train()  # as MMEngine's loops do before every epoch
        before = {key: value.clone() for key, value in toy.state_dict().items()}
        toy.train_step(training_batch(size=(4, 2)), wrapper)
        after = toy.state_dict()
        return {key.split('.')[0] for key in after if not torch.equal(before[key], after[key])}

    return call


def test_a_frozen_part_rests_with_its_statistics_and_momentum(toy, step):
    assert step() == step() == {'left', 'right'}  # the optimiser has momentum now
    toy.enter_stage(Stage('one', frozen=('right',)))
    # its term is still computed and its gradient was there a moment ago: neither moves it
    assert step() == step() == {'left'}
    assert all(parameter.grad is None for parameter in toy.right.parameters())
    toy.enter_stage(Stage('two', frozen=('left',)))
    assert step() == {'right'}
    toy.enter_stage(Stage('three'))
    assert step() == {'left', 'right'}


def test_gradients_that_were_left_over_are_dropped(toy, step, training_batch):
    data = toy.data_preprocessor(training_batch(size=(4, 2)))
    toy.parse_losses(toy(**data, mode='loss'))[0].backward()
    toy.enter_stage(Stage('one', frozen=('right',)))
    assert step() == {'left'}


def test_exactly_what_was_frozen_is_released(toy):
    toy.enter_stage(Stage('one', frozen=('right', 'left')))
    assert not any(parameter.requires_grad for parameter in toy.parameters())
    toy.enter_stage(Stage('two', frozen=('right',)))
    assert all(parameter.requires_grad for parameter in toy.left.parameters())
    toy.enter_stage(Stage('three'))
    still = {name for name, parameter in toy.named_parameters() if not parameter.requires_grad}
    assert still == {'right.2.bias'}


def test_modes_follow_the_stage(toy):
    toy.enter_stage(Stage('one', frozen=('right',)))
    assert toy.left[1].training
    assert not toy.right[1].training
    toy.eval()
    assert not toy.left[1].training
    toy.enter_stage(Stage('two', frozen=('left',)))  # in evaluation mode nothing starts to train
    assert not toy.right[1].training
    toy.train()
    assert toy.right[1].training
    assert not toy.left[1].training


def test_weights_of_a_stage_do_not_outlive_it(toy):
    toy.enter_stage(Stage('one', loss_weights=dict(left=0.0)))
    assert toy.loss_weights == dict(left=0.0, right=2.0)
    toy.enter_stage(Stage('two', loss_weights=dict(right=0.5)))
    assert toy.loss_weights == dict(left=1.0, right=0.5)


VIEWS = dict(visible={}, grey=dict(modality='visible'))


def test_a_stage_sees_its_views_and_no_others(training_batch):
    toy = Toy(data_preprocessor=dict(views=VIEWS))
    for views, seen in [
        (('grey', 'infrared'), ['grey', 'infrared']),
        (('infrared', 'visible'), ['visible', 'infrared']),  # in the order of a batch
        (('infrared',), ['infrared']),
        (None, ['visible', 'grey', 'infrared']),
    ]:
        toy.enter_stage(Stage('one', views=views))
        batch = toy.data_preprocessor(training_batch(2, 3), training=True)
        names = [sample.view for sample in batch['data_samples']]
        assert names == [name for name in seen for _ in range(6)]
        assert sum(map(len, batch['inputs'].values())) == len(names)
    toy.enter_stage(Stage('one', views=('infrared',)))
    inputs = toy.data_preprocessor(training_batch(2, 3))['inputs']
    assert list(inputs) == ['visible', 'infrared']  # a test knows no views


def test_views_of_a_stage_have_to_be_there(toy):
    with pytest.raises(
        ValueError, match=r"`views` of stage 'x' has \['visible'\], expected some of \[\]"
    ):
        toy.check_stage(Stage('x', views=('visible',)))
    toy = Toy(data_preprocessor=dict(views=VIEWS))
    toy.check_stage(Stage('x', views=('grey', 'infrared')))
    with pytest.raises(ValueError, match=r"\['gray'\], expected some of \['grey', 'infrared'"):
        toy.check_stage(Stage('x', views=('gray',)))


@pytest.mark.parametrize(
    ('entries', 'message'),
    [
        (
            dict(frozen=('middle',)),
            r"`frozen` of stage 'x' has \['middle'\], expected some of .*left",
        ),
        (dict(loss_weights=dict(up=1.0)), r"`loss_weights` of stage 'x' has \['up'\]"),
        (dict(loss_weights=dict(left=-1.0)), "stage 'x' has the loss weights .*none below 0"),
        (dict(loss_weights=dict(left=0.0, right=0.0)), "stage 'x' .*at least one above"),
        (dict(updates=('gan',)), r"`updates` of stage 'x' has \['gan'\]"),
    ],
)
def test_a_stage_that_does_not_fit_is_named(entries, message, toy):
    toy.check_stage(Stage('x', frozen=('left',), loss_weights=dict(left=0.0)))
    with pytest.raises(ValueError, match=message):
        toy.check_stage(Stage('x', **entries))
