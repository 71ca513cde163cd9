import math

import pytest
import torch

from mmvireid.models.necks import CodeMix
from mmvireid.registry import MODELS

BOTH = ('prototype', 'style')


def draw(num=3, prototype_size=4, style_size=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        3 * torch.randn(num, prototype_size, generator=generator),
        torch.rand(num, style_size, generator=generator),
    )


def mixed_slowly(prototype, style, first, second):
    """One image and one number after the other."""
    rows = []
    for p, s in zip(prototype.tolist(), style.tolist()):
        p_norm, s_norm = math.hypot(*p), math.hypot(*s)
        rows.append([first * x / p_norm for x in p] + [second * x / s_norm for x in s])
    return torch.tensor(rows)


@pytest.mark.parametrize('form', ['sigmoid', 'free'])
@pytest.mark.parametrize('start', [0.1, 0.5, 0.8])
def test_starts_as_asked_for(form, start):
    mix = MODELS.build(dict(type='CodeMix', form=form, start=start))
    assert mix.alpha.item() == pytest.approx(start)
    prototype, style = draw()
    torch.testing.assert_close(mix(prototype, style), mixed_slowly(*draw(), start, 1 - start))


@pytest.mark.parametrize(
    ('form', 'value', 'factors'),
    [
        ('sigmoid', math.log(3), (0.75, 0.25)),
        ('sigmoid', -math.log(4), (0.2, 0.8)),
        ('free', 0.3, (0.3, 0.7)),
        ('free', 1.2, (1.0, 0.0)),
        ('free', -0.5, (-0.5, 1.5)),  # the release's other end is not clamped
    ],
)
def test_factors_follow_the_parameter(form, value, factors):
    mix = CodeMix(form=form)
    torch.nn.init.constant_(mix.weight, value)
    prototype, style = draw()
    torch.testing.assert_close(mix(prototype, style), mixed_slowly(prototype, style, *factors))


def test_scale_of_a_code_does_not_matter():
    prototype, style = draw()
    mix = CodeMix(start=0.3)
    torch.testing.assert_close(mix(100 * prototype, 0.01 * style), mix(prototype, style))


def test_a_code_without_any_value_stays_zero():
    mix = CodeMix()
    style = torch.zeros(1, 2, requires_grad=True)
    found = mix(torch.ones(1, 4), style)
    found.sum().backward()
    assert found[0, 4:].tolist() == [0, 0]
    assert torch.isfinite(style.grad).all()


@pytest.mark.parametrize('form', ['sigmoid', 'free'])
def test_gradients_are_those_of_finite_differences(form):
    prototype, style = (code.double().requires_grad_() for code in draw())
    mix = CodeMix(form=form, start=0.3).double()

    def run(weight, *codes):
        return torch.func.functional_call(mix, dict(weight=weight), codes)

    assert torch.autograd.gradcheck(run, (mix.weight.detach().requires_grad_(), prototype, style))


@pytest.mark.parametrize(('form', 'returns'), [('sigmoid', True), ('free', False)])
def test_only_the_free_form_gets_stuck(form, returns):
    """The prototype is asked for until alpha is at its end, then only the style."""
    mix, codes = CodeMix(form=form), draw()
    optimizer = torch.optim.SGD(mix.parameters(), lr=0.4)  # 0.9, 1.3: never just 1

    def train(columns, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (-mix(*codes)[:, columns].norm(dim=1).mean()).backward()
            optimizer.step()

    train(slice(0, 4), 100)
    assert mix.alpha > 0.9
    train(slice(4, 6), 200)
    if returns:
        assert mix.alpha < 0.1
    else:
        assert mix.alpha > 1
        assert mix.weight.grad == 0
        assert not mix(*codes)[:, 4:].any()  # the style is lost


@pytest.mark.parametrize('form', ['sigmoid', 'free'])
@pytest.mark.parametrize('code', BOTH)
def test_one_code_alone_is_only_normalised(form, code):
    codes = dict(zip(BOTH, draw()))
    mix = CodeMix([code], form, start=0.3)
    expected = codes[code] / codes[code].square().sum(1, keepdim=True).sqrt()
    found = mix(**dict.fromkeys(BOTH) | {code: codes[code]})  # the other one is None
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(mix(**codes), expected)
    assert not list(mix.parameters()) and not mix.state_dict()
    assert mix.alpha == (code == 'prototype')


@pytest.mark.parametrize('codes', [BOTH, ('prototype',), ('style',)])
def test_out_channels_are_those_of_the_output(codes):
    mix = CodeMix(codes)
    assert mix.out_channels(4, 2) == mix(*draw()).shape[1]
    assert mix.codes == codes


def test_forms_share_the_name_of_their_only_parameter():
    for form in ('sigmoid', 'free'):
        mix = CodeMix(form=form)
        assert [(name, p.ndim) for name, p in mix.named_parameters()] == [('weight', 0)]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(codes=()), r'`codes` is \(\)'),
        (dict(codes=('pose',)), r"`codes` is \('pose',\), expected one of"),
        (dict(codes=('style', 'style')), '`codes` is'),
        (dict(codes='style'), '`codes` is style'),
        (dict(form='tanh'), r"`form` is 'tanh' .*expected one of \('sigmoid', 'free'\)"),
        (dict(start=0.0), '`start` 0.0, expected .* between 0 and 1'),
        (dict(start=1.0), '`start` 1.0'),
        (dict(start=float('nan')), '`start` nan'),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=f'CodeMix: .*{message}'):
        CodeMix(**arguments)
