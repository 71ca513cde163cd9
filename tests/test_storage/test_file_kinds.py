import gzip
import pickle
import re
import tarfile
import zipfile

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from mmvireid.storage.file_kinds import foreign_kind


def lfs(path):
    path.write_text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 94000000\n')


def page(path):
    path.write_text('\n<!DOCTYPE html><html><title>Virus scan warning</title></html>')


def xml(path):
    path.write_text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')


def empty(path):
    path.touch()


def folder(path):
    path.mkdir()


def picture(path):
    path.write_bytes(cv2.imencode('.png', np.zeros((2, 2, 3), np.uint8))[1].tobytes())


def packed(path):
    path.write_bytes(gzip.compress(b'weights'))


def tar(path):
    with tarfile.open(path, 'w') as archive:
        archive.add(__file__)


def other_zip(path):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('readme.txt', 'no weights')


def arrays(path):
    with open(path, 'wb') as file:
        np.savez(file, a=np.zeros(2))


def array(path):
    with open(path, 'wb') as file:
        np.save(file, np.zeros(2))


def safetensors(path):
    header = b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    path.write_bytes(len(header).to_bytes(8, 'little') + header + bytes(4))


@pytest.mark.filterwarnings('ignore::FutureWarning', 'ignore::DeprecationWarning')
def program(path):
    torch.jit.save(torch.jit.trace(nn.Linear(1, 1), torch.ones(1)), path)


def text(path):
    path.write_text('error: not found\n')


def noise(path):
    path.write_bytes(bytes(range(1, 256)))


KINDS = {
    lfs: r'a Git LFS pointer, .*git lfs pull',
    page: 'a web page',
    xml: 'an XML document',
    empty: 'an empty file',
    folder: 'a folder',
    picture: 'a PNG picture',
    packed: 'a gzip archive, to be unpacked',
    tar: 'a tar archive, to be unpacked',
    other_zip: r'a zip archive of something else \(readme.txt\)',
    arrays: r'a NumPy .npz file',
    array: 'a NumPy array',
    safetensors: 'a safetensors file',
    program: 'a TorchScript archive',
    text: "a text that begins with 'error: not found'",
    noise: 'a file of an unknown kind',
}


@pytest.mark.filterwarnings('ignore::FutureWarning', 'ignore::DeprecationWarning')
@pytest.mark.parametrize('write', KINDS, ids=lambda write: write.__name__)
def test_what_is_no_checkpoint_is_named(write, tmp_path):
    write(tmp_path / 'x.pth')
    assert re.match(KINDS[write], foreign_kind(tmp_path / 'x.pth'))


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('part', [1.0, 0.5])
def test_what_torch_has_saved_is_left_to_torch(zipped, part, tmp_path, make_exploit):
    """Whole, cut short or harmful: others say so."""
    for content in (dict(a=torch.ones(100)), make_exploit(tmp_path / 'trace', 'system')):
        path = tmp_path / 'x.pth'
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        data = path.read_bytes()
        path.write_bytes(data[: int(part * len(data))])
        assert foreign_kind(path) is None
    path.write_bytes(pickle.dumps(dict(a=1)))
    assert foreign_kind(path) is None
    assert not (tmp_path / 'trace').exists()
