import pytest
import torch

from mmvireid.models.heads import MixturePrior


@pytest.mark.parametrize('init_margin', [0.01, 1.0, 20.0])
def test_margins_start_as_asked_for(init_margin):
    _, margins = MixturePrior(3, 2, init_margin=init_margin)()
    torch.testing.assert_close(margins, torch.full((3,), init_margin))


@pytest.mark.parametrize('init_std', [0.1, 2.0])
def test_means_start_as_gaussians(init_std):
    torch.manual_seed(0)
    class_means, _ = MixturePrior(100, 200, init_std=init_std)()
    assert class_means.mean().abs() < 5 * init_std / 20_000**0.5
    assert class_means.std().item() == pytest.approx(init_std, rel=5 / 40_000**0.5)
    assert len(class_means.unique()) > 19_000


def test_margins_stay_positive_however_far_they_are_pushed():
    prior = MixturePrior(4, 2)
    optimizer = torch.optim.SGD(prior.parameters(), lr=1.0)
    for _ in range(20):
        optimizer.zero_grad()
        prior()[1].sum().backward()
        optimizer.step()
    _, margins = prior()
    assert (margins > 0).all() and (margins < 0.2).all()
    prior.margin_logits.data.fill_(-1000.0)
    assert (prior()[1] >= 0).all()


def test_both_are_learned():
    assert {name for name, p in MixturePrior(4, 2).named_parameters() if p.requires_grad} == {
        'class_means',
        'margin_logits',
    }


@pytest.mark.parametrize('init_margin', [0, -1.0])
def test_an_impossible_margin_is_named(init_margin):
    with pytest.raises(ValueError, match=f'MixturePrior: `init_margin` is {init_margin}'):
        MixturePrior(4, 2, init_margin=init_margin)
