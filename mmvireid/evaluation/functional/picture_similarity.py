"""How much pictures look like others, pixel by pixel."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from mmvireid.errors import InvalidValueError, from_extra

#: Sides of the smallest picture that the window of the structural similarity fits into.
WINDOW = 11


class PictureSimilarity(NamedTuple):
    """Means over pictures.

    Attributes:
        psnr: Peak signal-to-noise ratio in dB; infinite where a picture is its reference.
        ssim: Structural similarity, in [-1, 1]; 1 where a picture is its reference.
    """

    psnr: float
    ssim: float


#: From pictures and their references, uint8 BGR (H, W, 3), to how alike they are.
Comparison = Callable[[Sequence[np.ndarray], Sequence[np.ndarray]], PictureSimilarity]


def picture_similarity() -> Comparison:
    r"""Compare the grey values of pictures with those of their references, by scikit-image.

    With the grey values x and y of a picture and its reference,

    .. math::
        \text{PSNR} = 10 \log_{10} \frac{255^2}{\text{mean}(x - y)^2}, \quad
        \text{SSIM} = \text{mean}\ \frac{(2 \mu_x \mu_y + c_1)(2 \sigma_{xy} + c_2)}
        {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)}

    where means, variances and covariance are those of Gaussian windows, with a deviation of 1.5
    pixels, around every position.

    Source: SSIM and its constants are those of Wang et al. (TIP 2004).

    Returns:
        A function of pictures and references, as many of both, which raises ValueError if they do
        not fit together or are smaller than a window.

    Raises:
        RuntimeError: If scikit-image is missing, so that this is known before any long work.
    """
    with from_extra('picture_similarity', 'scikit-image', 'analysis'):
        from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    def compare(
        pictures: Sequence[np.ndarray], references: Sequence[np.ndarray]
    ) -> PictureSimilarity:
        shapes = [picture.shape for picture in pictures]
        if not shapes or shapes != [reference.shape for reference in references]:
            raise InvalidValueError(
                f'picture_similarity: `pictures` has the shapes {sorted(set(shapes))} and '
                f'`references` {sorted({reference.shape for reference in references})}, expected '
                'as many of both, each of the shape of its reference.'
            )
        if min(min(shape[:2]) for shape in shapes) < WINDOW:
            raise InvalidValueError(
                f'picture_similarity: `pictures` has the shapes {sorted(set(shapes))}, expected at '
                f'least {WINDOW} x {WINDOW} pixels.'
            )
        scores = []
        for pair in zip(pictures, references):
            grey, reference = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in pair)
            with np.errstate(divide='ignore'):  # equal pictures: infinite
                psnr = peak_signal_noise_ratio(reference, grey, data_range=255)
            ssim = structural_similarity(
                reference, grey, data_range=255,
                gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            )  # fmt: skip
            scores.append((psnr, ssim))
        return PictureSimilarity(*np.mean(scores, axis=0).tolist())

    return compare
