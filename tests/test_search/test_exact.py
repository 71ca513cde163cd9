import numpy as np
import pytest
import torch

from mmvireid.search import exact, search_exact


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return rng.standard_normal((7, 12)), rng.standard_normal((203, 12)).astype(np.float32)


def by_loop(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """One query after another, in float64."""
    rows = []
    for query in queries.astype(np.float64):
        cosine = [g @ query / np.linalg.norm(g) for g in gallery.astype(np.float64)]
        rows.append(np.argsort(-np.array(cosine), kind='stable')[:k])
    return np.array(rows)


@pytest.mark.parametrize('k', [1, 5, 203])
def test_neighbours_are_those_of_a_loop(features, k):
    found = search_exact(*features, k)
    assert np.array_equal(found.rows, by_loop(*features, k))
    assert found.similarity.dtype == np.float32 and (np.diff(found.similarity) <= 0).all()
    query, nearest = features[0][3], features[1][found.rows[3, 0]]
    cosine = query @ nearest / np.linalg.norm(query) / np.linalg.norm(nearest)
    assert found.similarity[3, 0] == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize('dtype', [np.float64, np.float32, np.float16])
def test_a_file_in_pieces_gives_what_the_array_gives(features, tmp_path, monkeypatch, dtype):
    gallery = features[1].astype(dtype)
    np.save(tmp_path / 'gallery.npy', gallery)
    np.save(tmp_path / 'queries.npy', features[0])
    whole = search_exact(features[0], gallery, 9)
    monkeypatch.setattr(exact, '_CHUNK', 4 * 12 * 50)  # five pieces, the last one shorter than k
    monkeypatch.setattr(exact, '_BLOCK', 2)
    pieces = search_exact(str(tmp_path / 'queries.npy'), tmp_path / 'gallery.npy', 9)
    assert np.array_equal(pieces.rows, whole.rows)
    assert np.abs(pieces.similarity - whole.similarity).max() < 1e-6


def test_pieces_that_are_smaller_than_k(features, monkeypatch):
    monkeypatch.setattr(exact, '_CHUNK', 4 * 12 * 3)
    assert np.array_equal(search_exact(*features, 20).rows, by_loop(*features, 20))


def test_a_small_gallery_gives_all_that_it_has(features):
    assert search_exact(features[0], features[1][:4], 10).rows.shape == (7, 4)


def test_equal_ones_come_in_the_order_of_the_gallery():
    found = search_exact(np.eye(2)[:1], np.tile(np.eye(2), (4, 1)), 8)
    assert found.rows.tolist() == [[0, 2, 4, 6, 1, 3, 5, 7]]


def test_the_answer_does_not_depend_on_lengths(features):
    scaled = search_exact(features[0] * 1e30, features[1] * 1e-25, 5)
    assert np.array_equal(scaled.rows, search_exact(*features, 5).rows)


def test_only_a_piece_of_a_file_is_held(features, tmp_path, monkeypatch):
    gallery = np.lib.format.open_memmap(
        tmp_path / 'large.npy', 'w+', np.float32, (2**14, features[0].shape[1])
    )
    gallery[:] = np.tile(features[1], (81, 1))[: len(gallery)]
    gallery.flush()
    held = []
    monkeypatch.setattr(exact, '_CHUNK', 2**16)
    nearest = exact._nearest
    monkeypatch.setattr(
        exact, '_nearest', lambda q, chunk, *a: held.append(chunk.nbytes) or nearest(q, chunk, *a)
    )
    search_exact(features[0], tmp_path / 'large.npy', 3)
    assert sum(held) == gallery.nbytes and max(held) <= 2**16


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_a_gpu_finds_the_same(features):
    assert np.array_equal(search_exact(*features, 5, 'cuda').rows, by_loop(*features, 5))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(k=0), '`k` is 0'),
        (dict(k=True), '`k` is True'),
        (dict(queries=np.ones((2, 5))), r'\(2, 5\) and \(203, 12\)'),
        (dict(queries=np.ones(12)), r'`queries` is of shape \(12,\)'),
        (dict(gallery=np.ones((0, 12))), r'`gallery` is of shape \(0, 12\)'),
        (dict(gallery=np.full((2, 12), 'a')), '`gallery` .* dtype <U1'),
        (dict(gallery=[[1.0]]), '`gallery` is of shape None and dtype list'),
        (dict(queries=np.full((2, 12), np.inf)), '`queries` has NaN or infinite values in row 0'),
    ],
)
def test_what_is_refused(features, change, message):
    arguments = dict(queries=features[0], gallery=features[1], k=3) | change
    with pytest.raises(ValueError, match=message):
        search_exact(**arguments)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_row_that_is_not_finite_is_named(features, value, monkeypatch):
    monkeypatch.setattr(exact, '_CHUNK', 4 * 12 * 50)
    features[1][123, 4] = value
    with pytest.raises(ValueError, match='`gallery` has NaN or infinite values in row 123'):
        search_exact(*features, 3)


def test_files_that_are_none(features, tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.npy, which is not a file'):
        search_exact(features[0], tmp_path / 'nowhere.npy', 3)
    (tmp_path / 'text.npy').write_text('no array')
    with pytest.raises(ValueError, match='text.npy, expected an .npy file'):
        search_exact(features[0], tmp_path / 'text.npy', 3)
    np.save(tmp_path / 'objects.npy', np.array([[{}]]))
    with pytest.raises(ValueError, match='objects.npy, expected an .npy file'):
        search_exact(features[0], tmp_path / 'objects.npy', 3)
    np.save(tmp_path / 'cut.npy', features[1])
    data = (tmp_path / 'cut.npy').read_bytes()
    (tmp_path / 'cut.npy').write_bytes(data[:500])
    with pytest.raises(ValueError, match='cut.npy, expected an .npy file'):
        search_exact(features[0], tmp_path / 'cut.npy', 3)
