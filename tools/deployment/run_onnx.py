"""Extract the features of a table's pictures with exported networks: no PyTorch, no MMEngine.

python tools/deployment/run_onnx.py DIR data/own/images.csv --split test --out features.npz

DIR is what export_onnx.py has written. The table has the columns path (relative to it) and
modality, and person_id, camera_id and room where they are known. The file that is written is one
that eval_features.py, ranked_lists.py and FeatureSet.load read. Of this package nothing is used but
how pictures are decoded and resized, which needs NumPy, OpenCV and Pillow.
"""

import argparse
import csv
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

# what these need is numpy, OpenCV and Pillow; a test makes sure that it stays so
from mmvireid.errors import InvalidValueError, MissingFileError, Refusal, from_extra
from mmvireid.pictures import INTERPOLATIONS, read_image, resize

#: Columns of a features file by those of a table, and what stands for a number that is not known.
COLUMNS = dict(names='path', modalities='modality', person_ids='person_id',
               camera_ids='camera_id', rooms='room')  # fmt: skip
NUMBERS = ('person_id', 'camera_id')
UNKNOWN = '-1'
#: Columns that a table may have.
KNOWN = (*COLUMNS.values(), 'split', 'time')
CHANNELS = ('bgr', 'rgb')


class Exported:
    """A folder of exported networks.

    Args:
        folder: What ``export_onnx.py`` has written.
        threads: Of the computation; 0 takes all cores.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged.
        RuntimeError: If the package ``onnxruntime`` is missing.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        self.folder, self.threads = folder, threads
        self.description = read_description(folder / 'model.json', self._read('model.json'))
        self.sessions = {}

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        if not path.is_file():
            raise MissingFileError(
                f'run_onnx: {path} does not exist, expected what export_onnx.py writes.'
            )
        return path.read_bytes()

    def _open(self, modality: str):
        """The network of a modality, whose file is what it was when it was written."""
        if modality not in self.description['files']:
            known = ', '.join(self.description['files'])
            raise InvalidValueError(
                f'run_onnx: `modality` is {modality!r}, expected one of {known} in every line.'
            )
        if modality not in self.sessions:
            with from_extra('run_onnx', 'onnxruntime', 'deploy'):
                import onnxruntime
            entry = self.description['files'][modality]
            network = self._read(entry['file'])
            if hashlib.sha256(network).hexdigest() != entry['sha256']:
                raise InvalidValueError(
                    f'run_onnx: {self.folder / entry["file"]} is not what model.json speaks of: '
                    'one of them is damaged, or of another export. Export again.'
                )
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self.threads
            session = onnxruntime.InferenceSession(
                network, options, providers=['CPUExecutionProvider']
            )
            self._compare(session)
            self.sessions[modality] = session
        return self.sessions[modality]

    def _compare(self, session) -> None:
        """Refuse a description that is not that of the network."""
        wanted, given = self.description['input'], self.description['output']
        taken, made = session.get_inputs()[0], session.get_outputs()[0]
        told = wanted['name'], wanted['height'], wanted['width'], 3, given['name'], given['size']
        size = made.shape[1] if isinstance(made.shape[1], int) else given['size']  # left open
        found = taken.name, *taken.shape[1:], made.name, size
        if found != told:
            raise InvalidValueError(
                f'run_onnx: {self.folder / "model.json"} says {told} of names and sizes, and the '
                f'network {found}, expected the same. Export again.'
            )

    def load(self, path: Path) -> np.ndarray:
        """A picture as the networks take it, uint8 (H, W, 3)."""
        wanted, how = self.description['input'], self.description['loading']
        picture = read_image(str(path), how['backend'])
        picture = resize(picture, (wanted['height'], wanted['width']), **how)
        return picture if wanted['channels'] == 'bgr' else picture[..., ::-1]

    def extract(self, paths: Sequence[Path], modality: str) -> np.ndarray:
        """Features of pictures of one modality, float32, (N, D), each of length one."""
        network = self._open(modality)
        pictures = np.stack([self.load(path) for path in paths])
        wanted, given = (self.description[side]['name'] for side in ('output', 'input'))
        return network.run([wanted], {given: pictures})[0]


def read_description(path: Path, text: bytes) -> dict:
    """What ``model.json`` says.

    Raises:
        ValueError: If it is not what ``export_onnx.py`` writes.
    """
    try:
        found = json.loads(text)
        picture, how, feature = found['input'], found['loading'], found['output']
        sound = (
            isinstance(found['source'], dict)
            and set(how) == {'backend', 'interpolation'}
            and how['interpolation'] in INTERPOLATIONS[how['backend']]
            and picture['channels'] in CHANNELS
            and all(isinstance(side['name'], str) for side in (picture, feature))
            and all(type(s) is int for s in (picture['height'], picture['width'], feature['size']))
            and all(
                Path(e['file']).name == e['file'] and e['sha256'] for e in found['files'].values()
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise InvalidValueError(
            f'run_onnx: {path} is not what export_onnx.py writes: it is damaged, or somebody has '
            'changed it. Export again.'
        )
    return found


def read_table(table: Path, split: str | None) -> list[dict[str, str]]:
    """Lines of a table, of one split if it is given.

    Raises:
        FileNotFoundError: If there is no such table.
        ValueError: If it has no such line, or lacks a column.
    """
    if not table.is_file():
        raise MissingFileError(f'run_onnx: {table} does not exist, expected a table.')
    try:
        with table.open(newline='', encoding='utf-8-sig') as file:
            reader = csv.DictReader(file)
            lines = [line for line in reader if split in (None, line.get('split'))]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidValueError(
            f'run_onnx: {table} cannot be read ({error}), expected CSV in UTF-8.'
        ) from error
    unknown = [name for name in reader.fieldnames or () if name not in KNOWN]
    if unknown:
        raise InvalidValueError(
            f'run_onnx: {table} has the columns {unknown}, expected none but {", ".join(KNOWN)}.'
        )
    if not lines or not all(line.get('path') and line.get('modality') for line in lines):
        raise InvalidValueError(
            f'run_onnx: {table} has no lines{f" of split {split}" if split else ""}, or some '
            'without path and modality, expected both columns in its first line.'
        )
    for key in NUMBERS:
        told = [line.get(key) or UNKNOWN for line in lines]
        wrong = [text for text in told if not re.fullmatch('-?[0-9]{1,18}', text)]
        if wrong:
            raise InvalidValueError(
                f'run_onnx: `{key}` in {table} is {wrong[0][:40]!r}, expected a whole number, or '
                'nothing where it is not known.'
            )
    outside = [line['path'] for line in lines if not is_inside(line['path'])]
    if outside:
        raise InvalidValueError(
            f'run_onnx: `path` in {table} is {outside[0]!r}, expected paths of images below the '
            "table's folder, relative to it."
        )
    return lines


def is_inside(path: str) -> bool:
    """Whether a path is relative, and never goes up."""
    return not Path(path).is_absolute() and '..' not in Path(path).parts


def extract_lines(
    exported: Exported, folder: Path, lines: Sequence[dict[str, str]], batch_size: int
) -> np.ndarray:
    """Features of a table's pictures, in its order, float32, (N, D)."""
    features = np.empty((len(lines), exported.description['output']['size']), np.float32)
    for modality in sorted({line['modality'] for line in lines}):
        chosen = [at for at, line in enumerate(lines) if line['modality'] == modality]
        for start in range(0, len(chosen), batch_size):
            part = chosen[start : start + batch_size]
            paths = [folder / lines[at]['path'] for at in part]
            features[part] = exported.extract(paths, modality)
    return features


def write_features(
    path: Path, exported: Exported, lines: Sequence[dict[str, str]], features: np.ndarray
) -> None:
    """Write a file that ``FeatureSet.load`` reads."""
    arrays = {}
    for name, key in COLUMNS.items():
        if key in NUMBERS:
            arrays[name] = np.array([int(line.get(key) or UNKNOWN) for line in lines], np.int64)
        elif key in lines[0]:
            arrays[name] = np.array([line[key] or '' for line in lines])
    source = np.array(json.dumps(exported.description['source']))
    draft = path.with_name(f'.{path.stem}.part.npz')
    try:
        np.savez(draft, features=features, **arrays, source=source)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InvalidValueError(
            f'run_onnx: `--out` is {path}, which cannot be written ({error.strerror}).'
        ) from error
    print(f'{len(lines):,} features of {features.shape[1]} numbers are in {path}.')


def run(args: argparse.Namespace) -> None:
    exported = Exported(args.folder, args.threads)
    lines = read_table(args.table, args.split)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    features = extract_lines(exported, args.table.parent, lines, args.batch_size)
    write_features(args.out, exported, lines, features)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path, metavar='DIR', help='what export_onnx.py has written')
    parser.add_argument('table', type=Path, help='whose pictures')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE.npz', help='to write')
    parser.add_argument('--split', help='only the lines of this split')
    parser.add_argument('--batch-size', type=int, default=32, help='images at once')
    parser.add_argument('--threads', type=int, default=0, help='of the computation (all cores)')
    args = parser.parse_args(argv)
    if args.batch_size < 1 or args.threads < 0:
        parser.error('--batch-size is at least 1, and --threads at least 0.')
    try:
        run(args)
    except (Refusal, OSError) as error:
        parser.error(str(error))


if __name__ == '__main__':
    main()
