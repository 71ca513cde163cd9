"""Reads the folders and index files of a data set, and is surprised by nothing silently."""

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath

from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.storage import read_text

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp')
#: Files that desktop systems drop into folders, skipped like hidden ones.
JUNK_NAMES = ('thumbs.db', 'desktop.ini')

MAX_NAMES_IN_MESSAGE = 5


def raise_problem(problem: Exception) -> None:
    """What a data set does with a problem: stop."""
    raise problem


def brief_list(names: list) -> str:
    """The first names of a list, and how many there are more.

    A name with a sign that no screen shows, such as a byte-order mark, is written in ASCII.
    """
    texts = [str(name) for name in names[:MAX_NAMES_IN_MESSAGE]]
    shown = ', '.join(text if text.isprintable() else ascii(text) for text in texts)
    more = len(names) - MAX_NAMES_IN_MESSAGE
    return f'{shown} and {more} more' if more > 0 else shown


class ImageTree:
    """The files below a data root, by paths relative to it and with ``/`` in between.

    Every surprise (a missing folder or file, a file that does not belong there, a line that
    cannot be read) goes to ``on_problem`` as an exception. A data set raises it; a checker
    collects it, and reading goes on without the part in question.

    Args:
        root: Data root; it exists.
        on_problem: Called with one ``FileNotFoundError`` or ``ValueError`` per problem.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        on_problem: Callable[[Exception], None] = raise_problem,
    ) -> None:
        self.root = Path(root)
        self.on_problem = on_problem
        self._entries = cache(self._scan)

    def has_folder(self, folder: str) -> bool:
        """Whether the folder exists."""
        return os.path.isdir(f'{self.root}/{folder}')

    def require_folders(self, folders: list[str]) -> list[str]:
        """The given folders that exist; the missing ones are a problem."""
        missing = [folder for folder in folders if not self.has_folder(folder)]
        if missing:
            self.on_problem(
                MissingFileError(
                    f'Missing folder {brief_list(missing)} below {self.root}. Is the download '
                    'complete, and does `data_root` name the folder that holds it?'
                )
            )
        return [folder for folder in folders if folder not in missing]

    def images(self, folder: str) -> list[str]:
        """Names of a folder's images, sorted; anything else in it but junk is a problem.

        So is a name that is not UTF-8, which results and messages could not speak of.

        Args:
            folder: Folder that exists.
        """
        names, strays, garbled = [], [], []
        for entry, is_file in self._entries(folder).items():
            if _is_junk(entry):
                continue
            is_image = is_file and entry.lower().endswith(IMAGE_SUFFIXES)
            kind = (names if _is_text(entry) else garbled) if is_image else strays
            kind.append(f'{folder}/{entry}')
        if garbled:
            self.on_problem(
                InvalidValueError(
                    f'Names in an image folder of {self.root} are not UTF-8: '
                    f'{brief_list(sorted(garbled))}. Rename these files, or unpack the archive '
                    'again with the right encoding.'
                )
            )
        if strays:
            self.on_problem(
                InvalidValueError(
                    f'Unexpected in an image folder of {self.root}: {brief_list(sorted(strays))}. '
                    f'Only images ({" ".join(IMAGE_SUFFIXES)}) belong there: move it away.'
                )
            )
        return sorted(names)

    def read_ids(self, file: str) -> list[int]:
        """Identity numbers of a file that holds integers separated by commas, ascending."""
        text = self._read_text(file)
        tokens = [token for token in re.split(r'[,\s]+', text) if token]
        wrong = [token for token in tokens if not re.fullmatch(r'0*[1-9]\d{0,3}', token)]
        ids = {int(token) for token in tokens if token not in wrong}
        if wrong or len(ids) + len(wrong) < len(tokens):
            self.on_problem(
                InvalidValueError(
                    f'{self.root / file}: expected different identity numbers in [1, 9999] '
                    f'separated by commas, got {brief_list(wrong) if wrong else "repeated ones"}.'
                )
            )
        return sorted(ids)

    def read_index(self, file: str) -> list[tuple[str, int]]:
        """Name and label of every image of an index file (``path label`` on each line).

        Paths may have backslashes, as on Windows. Malformed lines, repeated names and names of
        missing files are problems.
        """
        pairs, wrong = {}, []
        for number, line in enumerate(self._read_text(file).split('\n'), start=1):
            match = re.fullmatch(r'(\S.*?)\s+(\d+)\s*', line)
            name = PurePosixPath(match[1].replace('\\', '/') if match else '..')
            if not match and not line.strip():
                continue
            unusable = name.is_absolute() or '..' in name.parts
            if unusable or name.as_posix() in pairs:
                wrong.append(f'{number} ({line.strip()!r})')
            else:
                pairs[name.as_posix()] = int(match[2])
        if wrong:
            self.on_problem(
                InvalidValueError(
                    f'{self.root / file}: line {brief_list(wrong)}: expected a path below the '
                    'data root that no other line has, one space, and a label of 0 or more.'
                )
            )
        return self._existing(file, list(pairs.items()))

    def _existing(self, file: str, pairs: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """The pairs whose image exists; looks every folder up once, not every file."""
        missing = [name for name, _ in pairs if not self.has_image(name)]
        if missing:
            self.on_problem(
                MissingFileError(
                    f'{self.root / file} lists {len(pairs)} images, of which {len(missing)} do '
                    f'not exist below {self.root}: {brief_list(missing)}.'
                )
            )
        missing = set(missing)
        return [pair for pair in pairs if pair[0] not in missing]

    def has_image(self, name: str) -> bool:
        """Whether there is an image file of this name."""
        folder, _, file = name.rpartition('/')
        return file.lower().endswith(IMAGE_SUFFIXES) and self._entries(folder).get(file, False)

    def _scan(self, folder: str) -> dict[str, bool]:
        """Entries of a folder and whether each is a file; empty if there is no such folder."""
        path = f'{self.root}/{folder}'
        try:
            with os.scandir(path) as entries:
                return {entry.name: entry.is_file() for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            self.on_problem(MissingFileError(f'{path} cannot be read ({error.strerror}).'))
            return {}

    def _read_text(self, file: str) -> str:
        path = self.root / file
        if not path.is_file():
            self.on_problem(
                MissingFileError(
                    f'Missing index file {path}. It comes with the data package; '
                    'does `data_root` name the folder that holds it?'
                )
            )
            return ''
        try:
            return read_text(path)
        except (InvalidValueError, MissingFileError) as error:
            self.on_problem(error)
            return ''


def _is_text(name: str) -> bool:
    """Whether a file's name is proper text; bytes that are not are surrogates in Python."""
    return name.isascii() or not any('\ud800' <= sign <= '\udfff' for sign in name)


def _is_junk(entry: str) -> bool:
    return entry.startswith('.') or entry.lower() in JUNK_NAMES
