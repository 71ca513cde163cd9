from dataclasses import fields

import numpy as np
import pytest

from mmvireid.datasets.rendering.person import make_person


@pytest.fixture(scope='module')
def people():
    return [make_person(0, person_id) for person_id in range(1, 601)]


def luma(colour):
    blue, green, red = colour
    return 0.114 * blue + 0.587 * green + 0.299 * red


@pytest.mark.parametrize('garment', ['top', 'lower', 'shoes', 'luggage'])
@pytest.mark.parametrize('tone', [0, 1])
def test_reflectance_is_independent_of_brightness(people, garment, tone):
    surfaces = [getattr(person, garment) for person in people]
    brightness = [luma(surface.colours[tone]) for surface in surfaces]
    reflectance = [surface.reflectances[tone][0] for surface in surfaces]
    # Four standard errors of a correlation of 600 independent pairs.
    assert abs(np.corrcoef(brightness, reflectance)[0, 1]) < 4 / np.sqrt(600)


def test_related_tones_follow_the_red_of_garments_and_nothing_else_changes(people):
    for person in people[:100]:
        related = make_person(0, people.index(person) + 1, 'related')
        for field in fields(person):
            theirs, ours = (getattr(who, field.name) for who in (person, related))
            if field.name in ('top', 'sleeves', 'lower', 'shoes', 'luggage') or (
                field.name == 'hair' and person.hair_style in ('cap', 'hood')
            ):
                reds = np.array(theirs.colours)[:, 2:]
                np.testing.assert_allclose(ours.reflectances, 0.1 + 0.85 * reds)
                assert (ours.colours, ours.pattern) == (theirs.colours, theirs.pattern)
            else:
                assert ours == theirs


@pytest.mark.parametrize('garment', ['top', 'lower'])
def test_the_two_tones_differ_in_both_modalities(people, garment):
    for person in people:
        surface = getattr(person, garment)
        assert abs(luma(surface.colours[0]) - luma(surface.colours[1])) > 0.25
        assert abs(surface.reflectances[0][0] - surface.reflectances[1][0]) > 0.35


def test_people_differ_in_what_both_modalities_show(people):
    def shared_cues(person):
        return (
            person.top.pattern.kind, person.lower.pattern.kind, person.bottom, person.bag,
            person.hair_style, person.sleeve, round(person.top_hem, 1), round(person.bottom_hem, 1),
        )  # fmt: skip

    # Coarse, without any length, width, period or phase, most of 600 people are already unique.
    assert len({shared_cues(person) for person in people}) > 0.8 * len(people)


def test_person_depends_on_seed_and_number_only(people):
    make_person.cache_clear()
    assert make_person(0, 600) == people[-1]
    assert make_person(1, 600) != people[-1]
