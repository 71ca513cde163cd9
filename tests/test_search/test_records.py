import hashlib
import re

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.search.records import filter_of, picture_key, picture_record, to_match

PICTURES = FeatureSet(np.eye(2), [4, 5], [1, 3], ['visible', 'infrared'], ['a', '"b" or 1'])


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ((None, None, None, None), ''),
        (([3, np.int64(4)], None, None, None), 'camera_id in [3, 4]'),
        ((None, ['infrared'], None, None), 'modality in ["infrared"]'),
        ((None, None, 5, None), 'time >= 5'),
        ((None, None, -5, None), 'time >= 0'),
        ((None, None, None, 7), 'time >= 0 and time < 7'),
        (
            ([1], ('visible',), 0, 2),
            'camera_id in [1] and modality in ["visible"] and time >= 0 and time >= 0 and time < 2',
        ),
    ],
)
def test_filters(arguments, expected):
    assert filter_of(*arguments) == expected


@pytest.mark.parametrize(
    'arguments',
    [
        (['1 or 1 == 1'], None, None, None),
        ([True], None, None, None),
        ([2**63], None, None, None),
        (None, None, -(10**30), None),
        ('12', None, None, None),
        ([], None, None, None),
        (None, ['visible"]'], None, None),
        (None, 'visible', None, None),
        (None, None, '0', None),
        (None, None, None, 0.5),
    ],
)
def test_what_is_no_filter_is_refused(arguments):
    with pytest.raises(ValueError, match='Gallery.search: `'):
        filter_of(*arguments)


def test_a_picture_is_asked_for_by_letters_and_digits_only():
    names = ['a', 'a ', '"b" or 1', 'é', '\udcff']
    keys = [picture_key(name) for name in names]
    assert len(set(keys)) == 5 and all(re.fullmatch('[0-9a-f]{64}', key) for key in keys)
    assert keys[0] == hashlib.sha256(b'a').hexdigest()


def test_a_record_is_plain_and_comes_back_as_a_match():
    record = picture_record(PICTURES, 1, np.int64(9), 'd')
    kinds = {key: type(value) for key, value in record.items() if key != 'feature'}
    assert set(kinds.values()) == {str, int} and record['feature'].dtype == np.float32
    match = to_match(dict(distance=np.float32(0.5), entity=record))
    assert (match.name, match.similarity, match.person_id, match.camera_id) == (
        '"b" or 1',
        0.5,
        5,
        3,
    )
    assert (match.modality, match.time, match.digest) == ('infrared', 9, 'd')
