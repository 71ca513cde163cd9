import csv
from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from mmvireid.datasets.rendering import (
    LAYOUTS,
    Factors,
    picture,
    picture_factors,
    render_picture,
    write_factors,
)
from mmvireid.datasets.rendering.cameras import camera_look

SHOTS = LAYOUTS['sysu']('tiny', 0).test_shots()


@pytest.fixture(scope='module')
def known():
    return [picture_factors(0, shot) for shot in SHOTS]


def test_who_where_and_how_large_is_that_of_the_picture(known):
    for shot, factors in zip(SHOTS[::9], known[::9]):
        rendered = render_picture(0, shot.person_id, shot.camera, shot.index)
        assert (factors.height, factors.width, 3) == rendered.shape
        assert (factors.person_id, factors.camera_id, factors.index) == (
            shot.person_id, shot.camera.camera_id, shot.index,
        )  # fmt: skip
        assert (factors.modality, factors.room) == (shot.camera.modality, shot.camera.room)
        assert 0 < factors.top < 0.14
        assert 0.86 <= factors.scale / factors.height <= 0.97


def test_facing_is_the_nearest_direction(known):
    directions = dict(front=[0], side=[np.pi / 2, -np.pi / 2], back=[np.pi, -np.pi])
    for factors in known:
        assert -np.pi <= factors.yaw < np.pi
        distance = {
            name: min(abs(factors.yaw - angle) for angle in angles)
            for name, angles in directions.items()
        }
        assert factors.facing == min(distance, key=distance.get)
    assert {factors.facing for factors in known} == set(directions)


def test_brightness_is_that_of_mid_grey_by_the_sensors_formula(known):
    for shot, factors in zip(SHOTS, known):
        camera = shot.camera
        _, exposure, _ = picture.draw_picture(0, shot.person_id, camera, shot.index, camera)
        scene = 0.5
        if camera.modality == 'infrared':
            centre_y, centre_x, fall_off = exposure.beam
            distance = (0.5 - centre_y) ** 2 + (0.5 - centre_x) ** 2
            scene = exposure.base + exposure.contrast * 0.5 / (1 + fall_off * distance)
        levels = [min(1, scene * gain) ** exposure.gamma for gain in exposure.gain]
        assert factors.brightness == pytest.approx(np.mean(levels), rel=1e-5)
        assert factors.noise == camera_look(0, camera).noise


def test_a_brighter_picture_is_brighter_among_those_of_one_camera():
    camera = next(shot.camera for shot in SHOTS if shot.camera.camera_id == 3)
    shots = [replace(SHOTS[0], camera=camera, index=index) for index in range(1, 41)]
    pictures = [render_picture(0, s.person_id, camera, s.index).mean() for s in shots]
    brightness = [picture_factors(0, shot).brightness for shot in shots]
    assert np.corrcoef(pictures, brightness)[0, 1] > 0.6


def test_hidden_is_the_share_of_the_picture_that_the_occluder_changes(monkeypatch):
    occluded = {}
    draw = picture.draw_picture
    for shot in LAYOUTS['sysu']('small', 0).test_shots():
        occluded.setdefault(picture_factors(0, shot).occluder, shot)
        if len(occluded) == 3:
            break
    assert set(occluded) == {'none', 'pole', 'object'}

    def without_occluder(*arguments):
        moment, exposure, rng = draw(*arguments)
        return replace(moment, occluder=None), exposure, rng

    for kind, shot in occluded.items():
        who = shot.person_id, shot.camera, shot.index
        as_it_is = render_picture(0, *who)
        with monkeypatch.context() as patch:
            patch.setattr(picture, 'draw_picture', without_occluder)
            free = render_picture(0, *who)
        changed = (as_it_is != free).any(axis=2).mean()  # and what the blur carries over its edge
        hidden = picture_factors(0, shot).hidden
        assert hidden == changed == 0 if kind == 'none' else 0.6 * hidden < changed < 1.6 * hidden


def test_the_table_has_a_row_per_picture(tmp_path, known):
    write_factors(tmp_path / 'factors.csv', 0, SHOTS)
    with open(tmp_path / 'factors.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['name', *(field.name for field in fields(Factors))]
    assert [row['name'] for row in rows] == [shot.path for shot in SHOTS]
    for row, factors in zip(rows, known):
        for key, value in asdict(factors).items():
            if isinstance(value, float):
                assert float(row[key]) == pytest.approx(value, abs=1e-6)
            else:
                assert row[key] == str(value)
