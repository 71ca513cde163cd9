import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvireid.engine.runner import forget_weights
from mmvireid.models.heads import MixturePrior
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/dgvae'


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


def unreached(reach):
    """Share of the variance of standard normal targets that lies beyond ``reach`` from 0."""
    tail, density = math.erfc(reach / 2**0.5) / 2, math.exp(-(reach**2) / 2) / (2 * math.pi) ** 0.5
    return 2 * ((1 + reach**2) * tail - reach * density)


def train_class_means(rate, iterations, share):
    """Adam from 0 to standard normal targets, with a gradient in a share of the iterations only.

    Returns:
        The share of the targets' variance that is left.
    """
    rng = np.random.default_rng(0)
    targets = rng.standard_normal((40, 8))
    means, first, second = np.zeros((3, 40, 8))
    for step in range(1, iterations + 1):
        gradient = (means - targets) * (rng.random((40, 1)) < share)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        scale = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        means = means - rate * first / (1 - 0.9**step) / scale
    return np.square(means - targets).mean()


@pytest.mark.parametrize(('rate', 'expected', 'off'), [(2e-4, 0.54, 0.08), (2e-3, 0.0, 0.005)])
def test_how_far_rare_gradients_carry_a_class_mean(rate, expected, off):
    """Of 12,900 batches of RegDB's first stage, 4 / 206 hold an identity.

    Adam divides by the root of a mean square in which the iterations without a gradient count:
    together they carry a mean by rate x iterations x the root of that share.
    """
    iterations, share = 12_900, 4 / 206
    reach = rate * iterations * share**0.5
    assert unreached(reach) == pytest.approx(expected, abs=0.005)
    assert train_class_means(rate, iterations, share) == pytest.approx(expected, abs=off)


@pytest.mark.parametrize(
    ('config', 'num_images'),  # published, of the modality that has more of them
    [('sysu', 22258), ('regdb', 2060), ('llcm', 16946), ('synthetic', None)],
)
def test_class_means_arrive_in_the_first_stage(config, num_images):
    cfg = Config.fromfile(CONFIGS / f'dgvae_{config}.py')
    forget_weights(cfg.model)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)['autoencoder'].optimizer
    sampler = cfg.train_dataloader.batch_sampler
    drawn = sampler.num_ids * sampler.num_instances
    batches = num_images // drawn + 1 if num_images else sampler.num_batches
    iterations = batches * cfg.default_hooks.stage.stages[0].end
    rates = {
        group['lr']
        for group in optimizer.param_groups
        for parameter in group['params']
        if any(parameter is p for p in model.mixture_prior.parameters())
    }
    assert len(rates) == 1
    reach = rates.pop() * iterations * (sampler.num_ids / cfg.num_ids) ** 0.5
    assert unreached(reach) < 0.01
