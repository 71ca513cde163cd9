"""From an image file to pixels, without PyTorch and MMEngine: exported models need it, too."""

import base64
import struct
from contextlib import suppress
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mmvireid.errors import InvalidValueError

CV2_INTERPOLATIONS = {
    'nearest': cv2.INTER_NEAREST,
    'bilinear': cv2.INTER_LINEAR,
    'bicubic': cv2.INTER_CUBIC,
    'lanczos': cv2.INTER_LANCZOS4,
    'area': cv2.INTER_AREA,
}
PILLOW_INTERPOLATIONS = {
    'nearest': Image.Resampling.NEAREST,
    'bilinear': Image.Resampling.BILINEAR,
    'bicubic': Image.Resampling.BICUBIC,
    'lanczos': Image.Resampling.LANCZOS,
    'area': Image.Resampling.BOX,
}
INTERPOLATIONS = {'cv2': CV2_INTERPOLATIONS, 'pillow': PILLOW_INTERPOLATIONS}


#: What is decoded; Pillow knows more, among them formats that start other programs.
FORMATS = ('JPEG', 'PNG', 'BMP', 'TIFF', 'WEBP', 'GIF', 'PPM')
#: Raised whenever files of some kind decode to other values than before: old caches are no good.
DECODING_VERSION = 2
_ORIENTATION = 0x0112


def read_image(path: str, backend: str = 'cv2') -> np.ndarray:
    """Decode an image file to what a person sees in it, 8 bits per channel.

    One meaning for every kind of file, whoever decodes:

    - grey, 1-bit, palette, CMYK and YCbCr images become colour images;
    - of 16 bits per channel the high byte is kept: 0 to 65535 becomes 0 to 255 in every image, so
      that equal values stay equal. What fills a small part of that range (14-bit thermal cameras)
      must be stretched before; ``check_dataset.py`` finds such images;
    - transparency is dropped, as released code does: colours below it stay as they are;
    - an orientation in the metadata (EXIF) is applied, as viewers do: people stand upright.
      Cropped images, as in the published data sets, have none;
    - of several frames or pages the first one is taken; colour profiles are ignored;
    - floating-point images and integers beyond 16 bits are refused: their range is unknown.

    Args:
        path: A file of one of ``FORMATS``; its content counts, not its suffix.
        backend: Who decodes plain JPEGs (8 bits, grey or colour, no orientation), ``'cv2'``
            (faster) or ``'pillow'``; any other file is Pillow's. A file whose end is missing is
            refused.

    Returns:
        uint8 BGR, shape (h, w, 3).

    Raises:
        ValueError: If the file is missing, empty or cannot be decoded; the message names it.
    """
    try:
        with open(path, 'rb', buffering=0) as file:
            return _decode(file.readall(), backend)
    except _DECODING_ERRORS as error:
        raise InvalidValueError(
            f'read_image: cannot read {path} ({_reason(error)}). Fetch it again; of SYSU-MM01, '
            'RegDB and LLCM, tools/dataset_converters/check_dataset.py finds all such files.'
        ) from error


def decode_image(data: bytes, max_pixels: int | None = None) -> np.ndarray:
    """As :func:`read_image`, of bytes that somebody has sent.

    Args:
        data: What an image file holds.
        max_pixels: What has more is not decoded, however small the file is.

    Returns:
        uint8 BGR, shape (h, w, 3).

    Raises:
        ValueError: If they are no such file, or there are more pixels.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
        if max_pixels is None or width * height <= max_pixels:
            return _decode(data, 'cv2')
    except _DECODING_ERRORS as error:
        raise InvalidValueError(
            f'decode_image: `data` cannot be read ({_reason(error)}), expected a picture: '
            f'{", ".join(FORMATS)}.'
        ) from error
    raise InvalidValueError(
        f'decode_image: `data` is a picture of {width} x {height} pixels, expected at most '
        f'{max_pixels:,} pixels.'
    )


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return 'no decoder can read it'
    return getattr(error, 'strerror', None) or str(error).strip()


#: What Pillow and OpenCV raise on broken files, besides what :func:`to_bgr` refuses.
_DECODING_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    IndexError,
    struct.error,
    cv2.error,
    Image.DecompressionBombError,
)


def _decode(data: bytes, backend: str) -> np.ndarray:
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        turned = _is_turned(image)
        if (
            backend == 'cv2'
            and image.format == 'JPEG'
            and image.mode in ('L', 'RGB')
            and not turned
        ):
            return _decode_plain_jpeg(data)
        # Pillow puts 16 bits into 32 in these formats, which have no more.
        widened = image.mode == 'I' and image.format in ('PNG', 'PPM')
        if turned:
            image = ImageOps.exif_transpose(image)
        if image.mode.startswith(('I', 'F')):
            pixels = np.asarray(image)
            return to_bgr(pixels.astype(np.uint16) if widened else pixels, 'the content')
        image.load()
        image.info.pop('transparency', None)  # or Pillow would warn of dropping it
        return cv2.cvtColor(np.asarray(image.convert('RGB')), cv2.COLOR_RGB2BGR)


def _is_turned(image: Image.Image) -> bool:
    """Whether a viewer turns or mirrors the image; metadata that cannot be read say nothing."""
    with suppress(*_DECODING_ERRORS):
        return 2 <= image.getexif().get(_ORIENTATION, 1) <= 8
    return False


def _decode_plain_jpeg(data: bytes) -> np.ndarray:
    # OpenCV fills what is missing with grey: the end mark must come after the last scan.
    if data.rfind(b'\xff\xd9') < data.rfind(b'\xff\xda'):
        raise InvalidValueError('image file is truncated')
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise InvalidValueError('no decoder can read it')
    return image


def to_bgr(pixels: np.ndarray, name: str = 'to_bgr: `pixels`') -> np.ndarray:
    """Make an image of pixels, by the rules of :func:`read_image`.

    Args:
        pixels: uint8, uint16 or bool, shape (h, w) or (h, w, C): grey, BGR, or BGR and alpha.
        name: Who was given what, for the message.

    Returns:
        uint8 BGR, shape (h, w, 3); ``pixels`` itself if that is what it is.

    Raises:
        ValueError: If they are of another kind.

    Example:
        >>> to_bgr(np.array([[0, 257, 65535]], np.uint16)).tolist()
        [[[0, 0, 0], [1, 1, 1], [255, 255, 255]]]
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    deep = pixels.dtype.kind == 'u' and pixels.dtype.itemsize == 2
    known = deep or pixels.dtype in (np.uint8, bool)
    if not known or pixels.ndim not in (2, 3) or channels not in (1, 3, 4) or not pixels.size:
        raise InvalidValueError(
            f'{name} is a {pixels.dtype} array of shape {pixels.shape}, expected uint8, uint16 or '
            'bool of shape (h, w) or (h, w, C): grey, BGR, or BGR and alpha. The range of other '
            'types is unknown: scale them first.'
        )
    if deep:
        pixels = pixels >> 8
    elif pixels.dtype == bool:
        pixels = pixels * np.uint8(255)
    pixels = pixels.astype(np.uint8, copy=False)
    if channels == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return pixels if channels == 3 else np.ascontiguousarray(pixels[..., :3])


def resize(
    image: np.ndarray, size: tuple[int, int], backend: str, interpolation: str
) -> np.ndarray:
    """Resize an image.

    Args:
        image: uint8 BGR, shape (h, w, 3).
        size: (H, W) in pixels.
        backend: Whose interpolation, a key of ``INTERPOLATIONS``.
        interpolation: A key of ``INTERPOLATIONS[backend]``.

    Returns:
        uint8 BGR, shape (H, W, 3); ``image`` itself if it has that size.
    """
    if image.shape[:2] == tuple(size):
        return image
    width_height, method = size[::-1], INTERPOLATIONS[backend][interpolation]
    if backend == 'cv2':
        return cv2.resize(image, width_height, interpolation=method)
    blue, green, red = cv2.split(image)
    if np.array_equal(blue, green) and np.array_equal(green, red):
        # infrared: channels do not touch each other, and one takes less than half the time
        grey = np.asarray(Image.fromarray(blue).resize(width_height, method))
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    return np.array(Image.fromarray(image).resize(width_height, method))


def picture_url(picture: np.ndarray | None, height: int = 256, quality: int = 85) -> str:
    """A picture as text that a browser shows, made smaller if it is large.

    Args:
        picture: uint8 BGR, shape (h, w, 3); ``None`` for one that is gone.
        height: At most how high it is shown, in pixels.
        quality: Of the JPEG, up to 100.
    """
    if picture is None:
        picture = np.full((height, height // 2, 3), 200, np.uint8)
        cv2.line(picture, (0, 0), (height // 2, height), (150, 150, 150), 2)
    tall, wide = picture.shape[:2]
    if tall > height:
        size = (max(1, round(wide * height / tall)), height)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return f'data:image/jpeg;base64,{base64.b64encode(data).decode()}'
