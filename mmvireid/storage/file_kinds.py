"""What a file is that should be a checkpoint and is none."""

import zipfile
from pathlib import Path

#: What files begin with, in lower case where it is text.
_TEXTS = {
    b'version https://git-lfs': (
        'a Git LFS pointer, which stands for a file that was not fetched (git lfs pull)'
    ),
    b'<!doctype html': 'a web page, as servers give it in place of a file',
    b'<html': 'a web page, as servers give it in place of a file',
    b'<?xml': 'an XML document, as servers give it in place of a file',
}
_MAGICS = {
    b'\x89PNG': 'a PNG picture',
    b'\xff\xd8\xff': 'a JPEG picture',
    b'GIF8': 'a GIF picture',
    b'BM': 'a BMP picture',
    b'%PDF': 'a PDF document',
    b'\x1f\x8b': 'a gzip archive, to be unpacked first',
    b'7z\xbc\xaf': 'a 7z archive, to be unpacked first',
    b'Rar!': 'a RAR archive, to be unpacked first',
    b'BZh': 'a bzip2 archive, to be unpacked first',
    b'\xfd7zXZ': 'an xz archive, to be unpacked first',
    b'\x28\xb5\x2f\xfd': 'a zstd archive, to be unpacked first',
    b'\x93NUMPY': 'a NumPy array',
    b'\x89HDF': 'an HDF5 file',
}
_PICKLE, _ZIP = b'\x80', b'PK'


def foreign_kind(path: str | Path) -> str | None:
    """Say what a file is that torch has not written.

    Only its first bytes are looked at, or the names in a zip archive; nothing is unpickled.

    Args:
        path: An existing file or folder.

    Returns:
        Words for a message, such as ``'a web page'``; ``None`` for what may be a checkpoint, whole,
        damaged or harmful.

    Raises:
        OSError: If it cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return 'a folder'
    with open(path, 'rb') as file:
        head = file.read(512)
    if not head:
        return 'an empty file'
    text = head.lstrip(b'\xef\xbb\xbf \t\r\n').lower()
    for begin, kind in _TEXTS.items():
        if text.startswith(begin):
            return kind
    if head.startswith(_ZIP):
        return _foreign_zip(path)
    if head.startswith(_PICKLE):
        return None
    for begin, kind in _MAGICS.items():
        if head.startswith(begin):
            return kind
    if head[257:262] == b'ustar':
        return 'a tar archive, to be unpacked first'
    if head[8:10] == b'{"' and int.from_bytes(head[:8], 'little') < path.stat().st_size:
        return 'a safetensors file'
    return _unknown(head)


def _foreign_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return None  # cut short, perhaps
    if any(name.endswith('/constants.pkl') for name in names):
        return 'a TorchScript archive, a program'
    if any(name.endswith('/data.pkl') for name in names):
        return None
    if names and all(name.endswith('.npy') for name in names):
        return 'a NumPy .npz file'
    listed = ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')
    return f'a zip archive of something else ({listed or "empty"})'


def _unknown(head: bytes) -> str:
    try:
        line = head.decode().splitlines()[0]
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not a character that is cut at the end
            return 'a file of an unknown kind'
        line = head[: error.start].decode().splitlines()[0]
    if not line.replace('\t', ' ').isprintable():
        return 'a file of an unknown kind'
    return f'a text that begins with {line[:40]!r}'
