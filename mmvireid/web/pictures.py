"""Pictures in messages: what the page gets and shows is never a file of the server."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.pictures import decode_image

#: What a picture that is sent may have: bytes of its file, and pixels.
MAX_BYTES, MAX_PIXELS = 10 * 2**20, 40_000_000


def read_upload(upload: object) -> tuple[str, np.ndarray]:
    """Decode a picture that somebody has sent, in memory.

    Args:
        upload: ``dict(name=..., data='data:image/png;base64,...')``, as browsers read files.

    Returns:
        The name without folders, and the picture, uint8 BGR, shape (h, w, 3).

    Raises:
        ValueError: If there is none, it is no picture, or it is too large.
    """
    if not isinstance(upload, Mapping) or not isinstance(upload.get('data'), str):
        raise InvalidValueError('Choose a picture first.')
    head, comma, text = upload['data'].partition(',')
    if not (head.startswith('data:') and head.endswith(';base64') and comma):
        raise InvalidValueError('The picture did not arrive as a browser sends it.')
    if len(text) > 4 / 3 * MAX_BYTES + 4:
        raise InvalidValueError(f'The picture is larger than {MAX_BYTES // 2**20} MB.')
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InvalidValueError('The picture did not arrive whole.') from error
    name = PurePosixPath(str(upload.get('name', '')).replace('\\', '/')).name
    return name[:200] or 'picture', decode_image(data, MAX_PIXELS)
