import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet, RegDBProtocol

FEATURES = FeatureSet(
    np.zeros((5, 1)),
    person_ids=[2, 1, 1, 2, 1],
    camera_ids=[1, 1, 1, 2, 2],
    modalities=['visible'] * 3 + ['infrared'] * 2,
    names=['Visible/2/0.bmp', 'Visible/1/9.bmp', 'Visible/1/3.bmp', 'Thermal/2/0', 'Thermal/1/0'],
)


def test_every_image_asks_all_of_the_other_modality():
    forth, back = RegDBProtocol().settings(FEATURES)
    assert (forth.name, back.name) == ('regdb/visible-to-infrared', 'regdb/infrared-to-visible')
    assert forth.rank_by == back.rank_by == 'image'
    assert forth.excluded is back.excluded is None
    assert [rows.tolist() for rows in forth.galleries] == [[4, 3]]  # by person, then by name
    assert [rows.tolist() for rows in back.galleries] == [[2, 1, 0]]
    assert sorted(forth.queries[0]) == [0, 1, 2]
    assert sorted(back.queries[0]) == [3, 4]


def test_one_direction_alone():
    (setting,) = RegDBProtocol(['infrared-to-visible']).settings(FEATURES)
    assert setting.name == 'regdb/infrared-to-visible'


@pytest.mark.parametrize('directions', [['visible-to-visible'], [], 'visible-to-infrared'])
def test_wrong_directions_are_named(directions):
    with pytest.raises(ValueError, match='RegDBProtocol: `directions` is'):
        RegDBProtocol(directions)


def test_a_missing_modality_is_named():
    visible = FeatureSet(np.zeros((1, 1)), [1], [1], ['visible'], ['a'])
    with pytest.raises(ValueError, match='regdb/visible-to-infrared has no gallery images'):
        RegDBProtocol().settings(visible)
