import math

import pytest
import torch

from mmvireid.models.losses import (
    AdaptiveLargeMarginLoss,
    adaptive_large_margin,
    large_margin_cross_entropy,
    printed_positive_distance,
)

LABELS = torch.tensor([2, 0, 3, 2, 1, 0])


def draw(seed=0, dims=3, num_ids=4):
    """Means, log-variances, codes, class means and margins in float64."""
    g = torch.Generator().manual_seed(seed)
    mean, log_var, noise = torch.randn(3, len(LABELS), dims, generator=g, dtype=torch.float64)
    class_means = torch.randn(num_ids, dims, generator=g, dtype=torch.float64)
    margins = torch.rand(num_ids, generator=g, dtype=torch.float64)
    return mean, log_var, mean + (0.5 * log_var).exp() * noise, class_means, margins


def slow(code, class_means, positives, labels):
    """Mean over the images of -ln of the own class's share, with plain exponentials."""
    total = 0.0
    for i, label in enumerate(labels.tolist()):
        own = math.exp(-positives[i])
        others = 0.0
        for c in range(len(class_means)):
            if c != label:
                gap = sum((a - b) ** 2 for a, b in zip(code[i].tolist(), class_means[c].tolist()))
                others += math.exp(-gap)
        total -= math.log(own / (own + others)) / len(labels)
    return total


@pytest.mark.parametrize('margin_weight', [0.0, 0.1, 0.7])
def test_equals_a_slow_loop(margin_weight):
    mean, log_var, code, class_means, margins = draw()
    positives = [
        math.dist(code[i].tolist(), class_means[y].tolist()) ** 2 + margins[y].item()
        for i, y in enumerate(LABELS.tolist())
    ]
    expected = slow(code, class_means, positives, LABELS) - margin_weight * sum(margins) / 4
    loss = AdaptiveLargeMarginLoss(margin_weight)
    value = loss(mean, log_var, code, class_means, margins, LABELS)
    assert value.item() == pytest.approx(expected.item(), abs=1e-10)


def test_the_printed_form_equals_a_slow_loop():
    mean, log_var, code, class_means, margins = draw(1)
    positives = []
    for i, y in enumerate(LABELS.tolist()):
        offset, precision = code[i] - mean[i], torch.diag((-0.5 * log_var[i]).exp())
        positives.append((offset @ precision @ offset - margins[y]).item())
    value = AdaptiveLargeMarginLoss(form='printed')(
        mean, log_var, code, class_means, margins, LABELS
    )
    assert value.item() == pytest.approx(slow(code, class_means, positives, LABELS), abs=1e-10)


def test_thousands_of_dimensions_stay_finite():
    g = torch.Generator().manual_seed(2)
    class_means = torch.randn(10, 2048, generator=g).requires_grad_()
    code = torch.randn(3, 2048, generator=g).requires_grad_()
    margins = torch.ones(10, requires_grad=True)
    labels = torch.tensor([0, 4, 9])
    distances = torch.cdist(code.double(), class_means.double()).square()
    assert not (-distances).exp().float().any()  # every exponential underflows in float32
    loss = adaptive_large_margin(code, class_means, margins, labels, 0.1)
    loss.backward()
    logits = -distances.detach()
    logits[range(3), labels] -= 1
    expected = -logits.log_softmax(dim=1)[range(3), labels].mean() - 0.1
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    for tensor in (code, class_means, margins):
        assert torch.isfinite(tensor.grad).all() and tensor.grad.any()


@pytest.mark.parametrize('dims', [4, 2048])
def test_a_step_pulls_the_code_to_its_mean_and_pushes_it_from_the_others(dims):
    """From the centre of all means, where no direction is given by the start."""
    class_means = torch.eye(4, dims, dtype=torch.float64)
    code = class_means.mean(dim=0, keepdim=True).requires_grad_()
    label = torch.tensor([1])
    adaptive_large_margin(code, class_means, torch.ones(4).double(), label, 0.1).backward()
    before, after = (
        torch.cdist(x.detach(), class_means)[0] for x in (code, code - 0.01 * code.grad)
    )
    assert ((after < before) == torch.tensor([False, True, False, False])).all()
    assert (after != before).all()


def test_the_gradient_of_a_code_points_from_its_mean_to_its_rivals():
    r"""Closed form: 2/N sum of p_c (m_c - m_y), p_c the share of class c."""
    _, _, code, class_means, margins = draw(3)
    code.requires_grad_()
    adaptive_large_margin(code, class_means, margins, LABELS, 0.1).backward()
    for i, y in enumerate(LABELS.tolist()):
        energy = (code[i] - class_means).square().sum(dim=1).detach()
        energy[y] += margins[y]
        share = torch.exp(-energy) / torch.exp(-energy).sum()
        expected = 2 / len(LABELS) * (share[:, None] * (class_means - class_means[y])).sum(dim=0)
        torch.testing.assert_close(code.grad[i], expected)


def test_gradients_equal_finite_differences():
    _, _, code, class_means, margins = (x.requires_grad_() for x in draw(4))
    assert torch.autograd.gradcheck(
        lambda *x: adaptive_large_margin(*x, LABELS, 0.1), (code, class_means, margins)
    )


def margin_slope(margin, gap, weight):
    """d loss / d margin of two identities, each code nearer to its own mean by ``gap``."""
    class_means = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    code = torch.tensor([[1 - gap / 4], [1 + gap / 4]], dtype=torch.float64)
    margins = torch.full((2,), margin, dtype=torch.float64, requires_grad=True)
    adaptive_large_margin(code, class_means, margins, torch.tensor([0, 1]), weight).backward()
    assert margins.grad[0] == pytest.approx(margins.grad[1].item())
    return margins.grad[0].item()


@pytest.mark.parametrize('weight', [0.1, 0.3])
def test_a_margin_rests_where_mistakes_have_the_probability_of_its_weight(weight):
    assert margin_slope(1.0, gap=10.0, weight=weight) < 0  # well separated: it grows
    assert margin_slope(1.0, gap=0.0, weight=weight) > 0  # it shrinks
    rest = 3.0 + math.log(weight / (1 - weight))  # 1 / (1 + exp(gap - margin)) = weight
    assert margin_slope(rest, gap=3.0, weight=weight) == pytest.approx(0, abs=1e-12)
    assert margin_slope(rest - 0.1, gap=3.0, weight=weight) < 0
    assert margin_slope(rest + 0.1, gap=3.0, weight=weight) > 0


def test_without_its_weight_a_margin_can_only_shrink():
    assert margin_slope(1.0, gap=10.0, weight=0.0) > 0
    assert margin_slope(1.0, gap=0.0, weight=0.0) > 0


def test_printed_margins_can_only_grow():
    mean, log_var, code, class_means, _ = draw(5)
    loss = AdaptiveLargeMarginLoss(form='printed')
    for start in (0.0, 1.0, 5.0, 10.0):
        margins = torch.full((4,), start, dtype=torch.float64, requires_grad=True)
        loss(mean, log_var, code, class_means, margins, LABELS).backward()
        assert (margins.grad < 0).all()


def test_nothing_but_sigma_lowers_the_printed_distance():
    mean, log_var, _, _, margins = draw(6)
    noise = torch.randn_like(mean)
    mean.requires_grad_(), log_var.requires_grad_()
    sigma = (0.5 * log_var).exp()
    distance = printed_positive_distance(mean + sigma * noise, mean, log_var, margins, LABELS)
    torch.testing.assert_close(distance, (sigma * noise**2).sum(dim=1) - margins[LABELS])
    distance.sum().backward()
    torch.testing.assert_close(mean.grad, torch.zeros_like(mean), rtol=0, atol=1e-10)
    torch.testing.assert_close(log_var.grad, (0.5 * sigma * noise**2).detach())


def test_the_cross_entropy_only_replaces_the_own_distance():
    distances = torch.tensor([[9.0, 1.0, 2.0]])
    value = large_margin_cross_entropy(distances, torch.tensor([0.5]), torch.tensor([0]))
    expected = math.log(1 + math.exp(0.5 - 1) + math.exp(0.5 - 2))
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize('scale', [1.0, 16.0])
def test_a_scale_takes_the_mean_over_the_dimensions(scale):
    mean, log_var, code, class_means, margins = draw(7)
    logits = torch.tensor(
        [
            [-scale * sum((a - b) ** 2 for a, b in zip(x, m)) / 3 for m in class_means.tolist()]
            for x in code.tolist()
        ],
        dtype=torch.float64,
    )
    for row, y in zip(logits, LABELS):
        row[y] -= margins[y]
    expected = -logits.log_softmax(dim=1)[range(len(LABELS)), LABELS].mean() - 0.1 * margins.mean()
    loss = AdaptiveLargeMarginLoss(0.1, scale=scale)
    value = loss(mean, log_var, code, class_means, margins, LABELS)
    assert value.item() == pytest.approx(expected.item(), abs=1e-10)


@pytest.mark.parametrize('dims', [8, 2048])
@pytest.mark.parametrize('scale', [None, 4.0])
def test_separated_classes_are_felt_in_thousands_of_dimensions_only_with_a_scale(dims, scale):
    """Class means as far apart as normalised codes are, codes that lie on theirs."""
    g = torch.Generator().manual_seed(8)
    class_means = torch.randn(40, dims, generator=g).requires_grad_()
    code = class_means.detach().clone()
    loss = AdaptiveLargeMarginLoss(0.0, scale=scale)
    value = loss(code, code, code, class_means, torch.ones(40), torch.arange(40))
    [gradient] = torch.autograd.grad(value, class_means)
    alive = dims == 8 or scale is not None
    assert (gradient.norm() > 1e-3) == alive
    assert bool(gradient.any()) == alive


@pytest.mark.parametrize('margin_weight', [-0.1, 1.0])
def test_bad_arguments_are_named(margin_weight):
    with pytest.raises(ValueError, match=f'`margin_weight` is {margin_weight}'):
        AdaptiveLargeMarginLoss(margin_weight)
    with pytest.raises(ValueError, match="AdaptiveLargeMarginLoss: `form` is 'literal'"):
        AdaptiveLargeMarginLoss(form='literal')
    for arguments in (dict(scale=0.0), dict(scale=16.0, form='printed')):
        with pytest.raises(ValueError, match=f'`scale` is {arguments["scale"]}'):
            AdaptiveLargeMarginLoss(**arguments)
