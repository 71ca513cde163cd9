import math

import pytest
import torch

from mmvireid.models.losses import AdversarialLoss


@pytest.mark.parametrize('real', [True, False])
def test_equals_a_slow_loop(real):
    logits = torch.randn(
        2, 1, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    expected = 0.0
    for logit in logits.flatten().tolist():
        probability = 1 / (1 + math.exp(-logit))
        expected -= math.log(probability if real else 1 - probability) / 12
    assert AdversarialLoss()(logits, real).item() == pytest.approx(expected)


@pytest.mark.parametrize(('real', 'sign'), [(True, -1), (False, 1)])
def test_confident_mistakes_keep_a_full_gradient(real, sign):
    """The non-saturating form: a fake that is surely found still learns."""
    logits = torch.full((1,), 200.0 * sign, requires_grad=True)
    loss = AdversarialLoss()(logits, real)
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert logits.grad.item() == pytest.approx(sign)


@pytest.mark.parametrize('real', [True, False])
def test_lsgan_equals_a_slow_loop(real):
    logits = torch.randn(
        2, 1, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    expected = sum((logit - (1 if real else 0)) ** 2 for logit in logits.flatten().tolist()) / 12
    assert AdversarialLoss('lsgan')(logits, real).item() == pytest.approx(expected)


def test_lsgan_is_zero_at_its_targets_and_grows_behind_them():
    loss = AdversarialLoss(form='lsgan')
    assert loss(torch.ones(3, 1), True) == loss(torch.zeros(3, 1), False) == 0
    assert loss(torch.full((1, 1), 3.0), True).item() == 4  # overconfident logits cost too


@pytest.mark.parametrize('form', ['bce', 'lsgan'])
def test_is_float32_inside_autocast(form):
    logits = torch.linspace(-3, 3, 7).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        found = AdversarialLoss(form)(logits, real=True)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(AdversarialLoss(form)(logits.float(), True).item())


def test_unknown_form_is_named():
    with pytest.raises(ValueError, match=r"`form` is 'hinge', expected one of \('bce', 'lsgan'\)"):
        AdversarialLoss('hinge')


@pytest.mark.parametrize('form', ['bce', 'lsgan'])
def test_the_terms_of_a_discriminator(form):
    torch.manual_seed(0)
    loss, critic = AdversarialLoss(form), torch.nn.Linear(3, 1)
    real, fake = torch.randn(2, 4, 3)
    terms = loss.terms('visible', critic, real=real, fake=fake)
    distance = {
        'bce': lambda logit, wanted: torch.log(1 + torch.exp(logit * (1 - 2 * wanted))),
        'lsgan': lambda logit, wanted: (logit - wanted) ** 2,
    }[form]
    for name, rows, wanted in (('visible_real', real, 1), ('visible_fake', fake, 0)):
        expected = sum(distance(critic(row), wanted) for row in rows) / len(rows)
        torch.testing.assert_close(terms.pop(name), expected.squeeze())
    assert not terms


class ThreeSizes(torch.nn.Module):
    """A critic with logits (N, 1, h, w) of three sizes."""

    def __init__(self):
        super().__init__()
        self.critics = torch.nn.ModuleList(torch.nn.Conv2d(3, 1, k, stride=k) for k in (1, 2, 4))

    def forward(self, images):
        return tuple(critic(images) for critic in self.critics)


@pytest.mark.parametrize('real', [True, False])
def test_scales_count_alike_whatever_their_size(real):
    """Each scale adds its own mean: 2 x 3 and 1 x 1 logits weigh the same."""
    g = torch.Generator().manual_seed(0)
    scales = [torch.randn(2, 1, *size, generator=g) for size in ((2, 3), (1, 1), (4, 2))]
    expected = 0.0
    for scale in scales:
        values = scale.flatten().tolist()
        expected += sum((value - real) ** 2 for value in values) / len(values)
    loss = AdversarialLoss('lsgan')
    assert loss(scales, real).item() == pytest.approx(expected, rel=1e-5)
    assert loss(tuple(scales[:1]), real) == loss(scales[0], real)


def test_the_terms_of_a_discriminator_of_several_scales_train_each_of_them():
    torch.manual_seed(0)
    critic = ThreeSizes()
    real, fake = torch.randn(2, 2, 3, 4, 4)
    terms = AdversarialLoss('lsgan').terms('visible', critic, real=real, fake=fake)
    for name, images, wanted in (('visible_real', real, 1), ('visible_fake', fake, 0)):
        expected = sum((logits - wanted).square().mean() for logits in critic(images))
        torch.testing.assert_close(terms[name], expected)
    sum(terms.values()).backward()
    assert all(parameter.grad.any() for parameter in critic.parameters())
