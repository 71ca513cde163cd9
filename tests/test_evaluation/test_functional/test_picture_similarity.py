import sys

import numpy as np
import pytest

from mmvireid.evaluation.functional import picture_similarity


def grey(values):
    return np.repeat(np.asarray(values, np.uint8)[..., None], 3, axis=2)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return [grey(rng.integers(0, 200, (32, 16))) for _ in range(3)]


def test_psnr_of_a_constant_error_is_its_closed_form(pictures):
    for error in (1, 10, 55):
        found = picture_similarity()([picture + np.uint8(error) for picture in pictures], pictures)
        assert found.psnr == pytest.approx(20 * np.log10(255 / error))


def test_equal_pictures_are_as_alike_as_can_be(pictures):
    found = picture_similarity()(pictures, pictures)
    assert found.psnr == np.inf
    assert found.ssim == pytest.approx(1)


def test_ssim_of_two_flat_pictures_is_that_of_their_means():
    """Without variance only the first factor is left."""
    x, y, c = 100, 140, (0.01 * 255) ** 2
    found = picture_similarity()([grey(np.full((32, 16), x))], [grey(np.full((32, 16), y))])
    assert found.ssim == pytest.approx((2 * x * y + c) / (x * x + y * y + c), abs=1e-6)


def test_structure_and_not_its_sign_alone_counts(pictures):
    """An inverted picture has the structure, turned round: worse than noise."""
    compare = picture_similarity()
    inverted = [199 - picture for picture in pictures]
    shuffled = [pictures[1], pictures[2], pictures[0]]
    assert compare(inverted, pictures).ssim < -0.5 < compare(shuffled, pictures).ssim < 0.2


def test_colours_count_as_their_grey_value(pictures):
    blue = np.zeros((32, 16, 3), np.uint8)
    blue[..., 0] = 200  # of which 11.4 % are its grey value
    found = picture_similarity()([blue], [grey(np.full((32, 16), 23))])
    assert found.psnr == np.inf
    several = picture_similarity()([pictures[0], pictures[1]], [pictures[1], pictures[1] + 10])
    single = [picture_similarity()([a], [b]) for a, b in
              ((pictures[0], pictures[1]), (pictures[1], pictures[1] + 10))]  # fmt: skip
    np.testing.assert_allclose(several, np.mean(single, axis=0))


def test_what_cannot_be_compared_is_named(pictures):
    compare = picture_similarity()
    for few, others, message in (
        (pictures, pictures[:2], 'as many of both'),
        ([], [], 'as many of both'),
        (pictures, [picture[1:] for picture in pictures], r'\(31, 16, 3\)'),
        ([pictures[0][:8]], [pictures[0][:8]], 'at least 11 x 11 pixels'),
    ):
        with pytest.raises(ValueError, match=f'picture_similarity: .*{message}'):
            compare(few, others)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'skimage.metrics', None)
    with pytest.raises(RuntimeError, match="scikit-image, which comes with the extra 'analysis'"):
        picture_similarity()
