"""Text files that other people's programs have written."""

import codecs
from pathlib import Path

from mmvireid.errors import InvalidValueError, MissingFileError

#: Marks at a file's start that name its encoding; UTF-32 first, UTF-16's is a part of its own.
_MARKS = {
    codecs.BOM_UTF32_LE: 'utf-32',
    codecs.BOM_UTF32_BE: 'utf-32',
    codecs.BOM_UTF16_LE: 'utf-16',
    codecs.BOM_UTF16_BE: 'utf-16',
    codecs.BOM_UTF8: 'utf-8-sig',
}


def read_text(path: str | Path) -> str:
    r"""Read a text file, whatever editor has saved it.

    UTF-8 is read with or without a byte-order mark, UTF-16 and UTF-32 (Notepad's "Unicode") with
    one. Nothing is guessed: bytes of any other encoding are refused. Line ends are ``\n``.

    Args:
        path: The file.

    Returns:
        The text, without any byte-order mark.

    Raises:
        FileNotFoundError: If it does not exist or may not be read.
        ValueError: If it is in another encoding; names the file, the line and the bytes.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MissingFileError(f'read_text: {path} cannot be read ({error.strerror}).') from error
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), 'utf-8')
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = error.object.count(b'\n', 0, error.start) + 1
        wrong = error.object[error.start : error.start + 4].hex(' ')
        raise _refusal(path, line, f'the bytes {wrong} are not {encoding.upper()}') from error
    if '\0' in text:
        line = text.count('\n', 0, text.index('\0')) + 1
        raise _refusal(path, line, 'there is a zero byte, as in UTF-16 without a byte-order mark')
    text = text.replace('\ufeff', '')  # files that were joined have one in the middle
    return text.replace('\r\n', '\n').replace('\r', '\n')


def _refusal(path: str | Path, line: int, reason: str) -> InvalidValueError:
    return InvalidValueError(
        f'read_text: {path}, line {line}: {reason}. The file is in another encoding (GBK, Latin-1 '
        'or the like), expected UTF-8: save it again as UTF-8.'
    )
