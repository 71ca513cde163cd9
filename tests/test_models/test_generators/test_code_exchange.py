import pytest
import torch

from mmvireid.models.generators import (
    Codes,
    cycle_codes,
    exchange_codes,
    exchange_pictures,
    relight_codes,
    same_codes,
)


def codes(letter):
    """Codes that spell whose they are: V1 ... V4."""
    return Codes(*(f'{letter}{name}' for name in ('p', 's', 'q', 'c')))


REAL = dict(visible=codes('V'), infrared=codes('R'))
#: Codes of the fakes that look visible (the person of R), and infrared (the person of V).
FAKE = dict(visible=codes('RV'), infrared=codes('VR'))


@pytest.mark.parametrize(
    ('made', 'expected'),
    [
        # x_{R>V} and x_{V>R}: prototype and style of one, pose and illumination of the other
        (
            exchange_codes(REAL),
            dict(fake_visible='Rp Rs Vq Vc', fake_infrared='Vp Vs Rq Rc'),
        ),
        (relight_codes(REAL), dict(relit_visible='Rp Rs Rq Vc', relit_infrared='Vp Vs Vq Rc')),
        (same_codes(REAL, True), dict(visible='Vp Vs Vq Vc', infrared='Rp Rs Rq Rc')),
        (same_codes(REAL, False), dict(visible='Vp Rs Vq Vc', infrared='Rp Vs Rq Rc')),
        # the visible person is in the fake that looks infrared, and was encoded from there
        (
            cycle_codes(REAL, FAKE, 'all'),
            dict(visible='VRp VRs RVq RVc', infrared='RVp RVs VRq VRc'),
        ),
        (
            cycle_codes(REAL, FAKE, 'prototype'),
            dict(visible='VRp Rs Vq Vc', infrared='RVp Vs Rq Rc'),
        ),
    ],
)
def test_who_gives_what(made, expected):
    assert {name: ' '.join(parts) for name, parts in made.items()} == expected


def test_gradients_flow_back_to_the_givers():
    real = {
        key: Codes(*(torch.rand(2, 3, requires_grad=True) for _ in range(4)))
        for key in ('visible', 'infrared')
    }
    sum(part.sum() for part in exchange_codes(real)['fake_visible']).backward()
    given = {f'{key} {name}' for key, c in real.items() for name in c._fields
             if getattr(c, name).grad is not None}  # fmt: skip
    assert given == {
        'infrared prototype', 'infrared style', 'visible pose', 'visible illumination'
    }  # fmt: skip


def test_pictures_say_whom_they_show_and_as_what():
    real = dict(visible='V', infrared='R')
    made = dict(
        real, fake_visible='RV', fake_infrared='VR', relit_visible='RVc', relit_infrared='VRc'
    )
    again = dict(visible='VRV', infrared='RVR')
    assert list(exchange_pictures(real, made, again).items()) == [
        ('visible', 'V'),
        ('visible, own codes', 'V'),
        ('visible, cycle', 'VRV'),
        ('infrared person as visible', 'RV'),
        ('infrared person relit', 'RVc'),
        ('infrared', 'R'),
        ('infrared, own codes', 'R'),
        ('infrared, cycle', 'RVR'),
        ('visible person as infrared', 'VR'),
        ('visible person relit', 'VRc'),
    ]
