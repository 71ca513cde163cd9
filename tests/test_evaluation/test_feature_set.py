import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.feature_set import describe_source

ARRAYS = {
    'features': np.arange(6.0).reshape(3, 2),
    'person_ids': np.array([1, 1, 2], np.uint16),
    'camera_ids': np.array([1, 3, 2]),
    'modalities': np.array(['visible', 'infrared', 'visible']),
    'names': np.array(['a/1.jpg', 'b/1.jpg', 'c/1.jpg']),
}


def test_survives_a_file(tmp_path):
    rooms = ['', 'lab', 'lab']
    feature_set = FeatureSet(**ARRAYS, flip_features=-ARRAYS['features'], rooms=rooms)
    feature_set.save(tmp_path / 'new' / 'f.npz')
    loaded = FeatureSet.load(tmp_path / 'new' / 'f.npz')
    for key, value in vars(feature_set).items():
        assert getattr(loaded, key).dtype == value.dtype
        np.testing.assert_array_equal(getattr(loaded, key), value)
    assert loaded.features.dtype == np.float32


def test_reads_a_file_of_bare_numpy(tmp_path):
    arrays = {**ARRAYS, 'names': ARRAYS['names'].astype('S'), 'person_ids': ARRAYS['person_ids']}
    np.savez_compressed(tmp_path / 'f.npz', **arrays, something_else=np.zeros(1))
    loaded = FeatureSet.load(tmp_path / 'f.npz')
    assert loaded.names.tolist() == ['a/1.jpg', 'b/1.jpg', 'c/1.jpg']
    assert loaded.flip_features is None


def test_a_file_knows_where_its_features_come_from(tmp_path):
    source = dict(dataset='regdb', split='test', trial=3, image_size=[288, 144], seed=None)
    FeatureSet(**ARRAYS).save(tmp_path / 'f', source)
    assert FeatureSet.load_source(tmp_path / 'f.npz') == source
    assert describe_source(source) == 'regdb, test, trial 3'
    FeatureSet.load(tmp_path / 'f.npz').save(tmp_path / 'f.npz')
    assert FeatureSet.load_source(tmp_path / 'f.npz') == {} and describe_source({}) == ''
    np.savez(tmp_path / 'g.npz', **ARRAYS, source=np.arange(3))  # of someone else
    assert FeatureSet.load_source(tmp_path / 'g.npz') == {}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'features': [[1, 2], [np.nan, 1], [3, 4]]}, '`features` is NaN or .* first b/1.jpg'),
        ({'features': [[1, 2], [3, 4], [np.inf, 4]]}, 'for 1 of 3 images, first c/1.jpg'),
        ({'features': [[1e39, 2], [3, 4], [5, 4]]}, 'first a/1.jpg'),  # more than float32 holds
        (
            {'features': [[1, 2], [1e-50, 0], [5, 4]]},
            'too small for float32 in 1 rows, first row 1',
        ),
        ({'features': np.zeros((2, 2))}, '`features` has 2 rows, expected 3'),
        ({'features': np.zeros(3)}, r'`features` has shape \(3,\)'),
        ({'camera_ids': [1, 2]}, '`camera_ids` has 2 rows'),
        ({'person_ids': [1.0, 2.0, 3.5]}, '`person_ids` has dtype float64, expected integers'),
        ({'modalities': ['visible', 'thermal', 'visible']}, r"`modalities` contains \['thermal'\]"),
        ({'names': ['a', 'b', 'a']}, '`names` contains a 2 times'),
        ({'names': []}, r'`names` has shape \(0,\)'),
        ({'rooms': ['lab']}, '`rooms` has 1 rows, expected 3'),
        ({'flip_features': np.zeros((3, 5))}, r'`flip_features` has shape \(3, 5\)'),
    ],
)
@pytest.mark.filterwarnings('error')
def test_wrong_content_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        FeatureSet(**{**ARRAYS, **change})


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.npz'):
        FeatureSet.load(tmp_path / 'none.npz')
    np.savez(tmp_path / 'part.npz', **{k: v for k, v in ARRAYS.items() if k != 'names'})
    with pytest.raises(ValueError, match=r'part.npz lacks names'):
        FeatureSet.load(tmp_path / 'part.npz')
    (tmp_path / 'text.npz').write_text('no archive')
    np.save(tmp_path / 'array.npy', ARRAYS['features'])
    np.savez(tmp_path / 'pickle.npz', **{**ARRAYS, 'names': ARRAYS['names'].astype(object)})
    (tmp_path / 'cut.npz').write_bytes((tmp_path / 'part.npz').read_bytes()[:300])
    for name in ('text.npz', 'array.npy', 'pickle.npz', 'cut.npz'):
        with pytest.raises(ValueError, match=rf'`path` is .*{name}, expected an .npz file'):
            FeatureSet.load(tmp_path / name)
