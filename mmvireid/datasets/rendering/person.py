"""What makes an identity: build, garments, patterns and bag, drawn from a seed."""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from mmvireid.structures import VISIBLE

from .patterns import Pattern
from .seeding import Stream, generator

PLAIN = Pattern('plain', 0.1, 0.0)
#: How infrared tones of garments come about, see :func:`make_person`.
TONES = (INDEPENDENT, RELATED) = ('independent', 'related')


@dataclass(frozen=True)
class Surface:
    """What one garment, skin or hair looks like.

    Args:
        pattern: Shown alike in both modalities.
        colours: Visible tones, two (blue, green, red) triples in [0, 1].
        reflectances: Infrared tones, two 1-tuples in [0, 1], drawn independently of the colours,
            but see :meth:`related`.
    """

    pattern: Pattern
    colours: tuple[tuple[float, ...], tuple[float, ...]]
    reflectances: tuple[tuple[float, ...], tuple[float, ...]]

    def tones(self, modality: str) -> np.ndarray:
        """The two tones of one modality, float32, shape (2, 3) visible or (2, 1) infrared."""
        tones = self.colours if modality == VISIBLE else self.reflectances
        return np.array(tones, np.float32)

    def related(self) -> 'Surface':
        """The same, but infrared shows how much red is in a colour: 0.1 + 0.85 red."""
        return replace(self, reflectances=tuple((0.1 + 0.85 * red,) for *_, red in self.colours))


@dataclass(frozen=True)
class Person:
    """An identity. Lengths are in person heights, heights are measured from the top of the head.

    Args:
        girth: Factor on all widths of the body, about 0.8 to 1.25.
        shoulder: Half the distance between the shoulders.
        leg: Height of the hips above the ground.
        head: Factor on the size of the head.
        hair_style: ``'short'``, ``'long'``, ``'bun'``, ``'bald'``, ``'cap'`` or ``'hood'``.
        sleeve: Covered fraction of the arms: 0 none, 0.45 short, 1 long.
        top_hem: Height at which the top, jacket or coat ends.
        top_flare: Widening of the top towards its hem.
        bottom: ``'trousers'`` (shorts when the hem is high) or ``'skirt'``.
        bottom_hem: Height at which the trousers or the skirt end.
        bottom_flare: Width of a trouser leg or of the skirt at its hem, as a factor.
        bag: ``'none'``, ``'backpack'``, ``'shoulder'`` or ``'hand'``.
        bag_size: Half the width of the bag.
        skin: Surface of face, arms and legs.
        hair: Surface of the hair, or of the cap or hood.
        top: Surface of the trunk's garment.
        sleeves: Surface of the sleeves: that of the top, or of a contrasting colour.
        lower: Surface of trousers or skirt.
        shoes: Surface of the shoes.
        luggage: Surface of the bag.
    """

    girth: float
    shoulder: float
    leg: float
    head: float
    hair_style: str
    sleeve: float
    top_hem: float
    top_flare: float
    bottom: str
    bottom_hem: float
    bottom_flare: float
    bag: str
    bag_size: float
    skin: Surface
    hair: Surface
    top: Surface
    sleeves: Surface
    lower: Surface
    shoes: Surface
    luggage: Surface


def _pair(draw: Callable, differ: Callable) -> tuple:
    """Two draws of which the second is drawn again until it differs enough from the first."""
    first = draw()
    second = draw()
    while not differ(first, second):
        second = draw()
    return first, second


def _colour(rng: Generator) -> tuple[float, ...]:
    """A garment colour as (blue, green, red): dark, light, denim or vivid."""
    kind = rng.choice(4, p=[0.28, 0.22, 0.1, 0.4])
    hue, low, high, value = (
        (rng.random(), 0.0, 0.4, rng.uniform(0.07, 0.22)),
        (rng.random(), 0.0, 0.25, rng.uniform(0.65, 0.95)),
        (rng.uniform(0.57, 0.65), 0.3, 0.6, rng.uniform(0.3, 0.65)),
        (rng.random(), 0.4, 0.8, rng.uniform(0.35, 0.8)),
    )[kind]
    return colorsys.hsv_to_rgb(hue, rng.uniform(low, high), value)[::-1]


def _luma(colour: tuple[float, ...]) -> float:
    return float(np.dot(colour, (0.114, 0.587, 0.299)))


def _garment(rng: Generator, pattern: Pattern = PLAIN) -> Surface:
    colours = _pair(lambda: _colour(rng), lambda a, b: abs(_luma(a) - _luma(b)) > 0.3)
    reflectances = _pair(lambda: (rng.uniform(0.1, 0.95),), lambda a, b: abs(a[0] - b[0]) > 0.4)
    return Surface(pattern, colours, reflectances)


def _plain_surface(colour: tuple[float, ...], reflectance: float) -> Surface:
    return Surface(PLAIN, (colour, colour), ((reflectance,), (reflectance,)))


def _skin(rng: Generator) -> Surface:
    light, dark = np.array([0.62, 0.72, 0.9]), np.array([0.2, 0.28, 0.42])
    mix = rng.random() ** 2
    colour = (1 - mix) * light + mix * dark
    return _plain_surface(tuple(colour.tolist()), rng.uniform(0.6, 0.75))


def _hair(rng: Generator) -> Surface:
    colour = colorsys.hsv_to_rgb(
        rng.uniform(0.04, 0.12), rng.uniform(0.2, 0.7), rng.choice([0.1, 0.16, 0.3, 0.6])
    )
    return _plain_surface(colour[::-1], rng.uniform(0.1, 0.55))


def _pattern(rng: Generator, kinds: dict[str, float]) -> Pattern:
    kind = rng.choice(list(kinds), p=list(kinds.values()))
    return Pattern(str(kind), rng.uniform(0.055, 0.15), rng.random())


TOP_PATTERNS = {
    'plain': 0.16, 'hoops': 0.12, 'stripes': 0.1, 'diagonal': 0.08, 'checks': 0.1, 'dots': 0.08,
    'blocks': 0.1, 'band': 0.08, 'halves': 0.04, 'print': 0.08, 'open': 0.06,
}  # fmt: skip
LOWER_PATTERNS = {'plain': 0.6, 'hoops': 0.12, 'stripes': 0.14, 'checks': 0.08, 'dots': 0.06}


def _top(rng: Generator) -> dict:
    """Sleeves, length and cut of T-shirt, shirt, jacket or coat."""
    kind = rng.choice(4, p=[0.3, 0.3, 0.2, 0.2])
    sleeve, hem, flare = (
        (rng.choice([0.0, 0.45], p=[0.2, 0.8]), rng.uniform(0.52, 0.57), rng.uniform(0.95, 1.1)),
        (1.0, rng.uniform(0.52, 0.57), rng.uniform(0.95, 1.1)),
        (1.0, rng.uniform(0.56, 0.62), rng.uniform(1.05, 1.2)),
        (1.0, rng.uniform(0.68, 0.8), rng.uniform(1.1, 1.45)),
    )[kind]
    top = _garment(rng, _pattern(rng, TOP_PATTERNS))
    sleeves = top if top.pattern.on_sleeves else replace(top, pattern=PLAIN)
    if rng.random() < 0.2:  # of the contrasting tone
        sleeves = Surface(PLAIN, top.colours[::-1], top.reflectances[::-1])
    return {
        'sleeve': float(sleeve), 'top_hem': hem, 'top_flare': flare,
        'top': top, 'sleeves': sleeves,
    }  # fmt: skip


def _bottom(rng: Generator) -> dict:
    """Cut and length of trousers, shorts or a skirt."""
    kind = rng.choice(4, p=[0.45, 0.2, 0.2, 0.15])
    bottom, hem, flare = (
        ('trousers', 0.95, rng.uniform(0.85, 1.6)),
        ('trousers', rng.uniform(0.66, 0.78), rng.uniform(1.1, 1.5)),
        ('skirt', rng.uniform(0.68, 0.76), rng.uniform(1.1, 1.7)),
        ('skirt', rng.uniform(0.8, 0.93), rng.uniform(1.1, 1.6)),
    )[kind]
    lower = _garment(rng, _pattern(rng, LOWER_PATTERNS))
    return {'bottom': bottom, 'bottom_hem': hem, 'bottom_flare': flare, 'lower': lower}


@lru_cache(maxsize=1024)
def make_person(seed: int, person_id: int, tones: str = INDEPENDENT) -> Person:
    """Draw an identity. It depends on nothing but the arguments.

    Args:
        seed: Seed of the data set, not negative.
        person_id: Identity number, not negative.
        tones: One of :data:`TONES`: whether a garment's infrared tones are ``'independent'`` of its
            colours, or ``'related'``, see :meth:`Surface.related`. All else is the same.

    Returns:
        The identity's shape and surfaces, alike for both modalities.

    Example:
        >>> make_person(0, 7) == make_person(0, 7)
        True
    """
    rng = generator(seed, Stream.PERSON, person_id)
    hair_style = str(rng.choice(['short', 'long', 'bun', 'bald', 'cap', 'hood'],
                                p=[0.34, 0.24, 0.1, 0.08, 0.14, 0.1]))  # fmt: skip
    head_cover = hair_style in ('cap', 'hood')
    person = Person(
        girth=rng.uniform(0.82, 1.25),
        shoulder=rng.uniform(0.105, 0.135),
        leg=rng.uniform(0.46, 0.53),
        head=rng.uniform(0.92, 1.1),
        hair_style=hair_style,
        bag=str(rng.choice(['none', 'backpack', 'shoulder', 'hand'], p=[0.35, 0.25, 0.2, 0.2])),
        bag_size=rng.uniform(0.05, 0.09),
        skin=_skin(rng),
        hair=_garment(rng) if head_cover else _hair(rng),
        shoes=_garment(rng),
        luggage=_garment(rng),
        **_top(rng),
        **_bottom(rng),
    )
    if tones != RELATED:
        return person
    garments = ('shoes', 'luggage', 'top', 'sleeves', 'lower', *['hair'] * head_cover)
    return replace(person, **{name: getattr(person, name).related() for name in garments})
