import errno
import os

import pytest
import torch

from mmvireid.utils import damage_of, write_atomically
from mmvireid.utils.files import AtomicBackend


def test_the_data_are_there_and_nothing_else(tmp_path):
    path = tmp_path / 'new/folder/file'
    write_atomically(b'one', path)
    write_atomically(b'two', path)
    assert path.read_bytes() == b'two'
    assert os.listdir(path.parent) == ['file']


@pytest.mark.parametrize('step', ['fsync', 'replace'])
def test_a_full_disk_leaves_the_old_file_and_says_so(step, tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(errno.ENOSPC, 'No space left on device')

    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'old')
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(RuntimeError, match=r'epoch_1.pth .* No space left .* untouched'):
        write_atomically(b'new', path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['epoch_1.pth']


@pytest.mark.parametrize('step', ['fsync', 'replace'])
def test_death_at_any_step_leaves_the_old_file(step, tmp_path, monkeypatch):
    class Death(BaseException):
        pass

    def die(*args):
        raise Death

    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'old')
    monkeypatch.setattr(os, step, die)
    with pytest.raises(Death):
        write_atomically(b'new', path)
    assert path.read_bytes() == b'old'


def test_mmengine_writes_through_it(tmp_path):
    backend = AtomicBackend()
    backend.put(b'bytes', tmp_path / 'a')
    backend.put_text('täxt', tmp_path / 'b')
    assert (tmp_path / 'a').read_bytes() == b'bytes'
    assert (tmp_path / 'b').read_text('utf-8') == 'täxt'


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(weight=torch.arange(1000.0)), path)
    return path


def test_a_whole_checkpoint_has_no_damage(checkpoint):
    assert damage_of(checkpoint) is None


def test_any_missing_end_and_any_flipped_bit_of_the_weights_is_damage(checkpoint):
    whole = checkpoint.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        checkpoint.write_bytes(whole[:length])
        assert damage_of(checkpoint), length
    begin = whole.index(torch.arange(1000.0).numpy().tobytes())
    for offset in (0, 1777, 3999):
        broken = bytearray(whole)
        broken[begin + offset] ^= 4
        checkpoint.write_bytes(broken)
        assert 'is damaged' in damage_of(checkpoint)
    checkpoint.unlink()
    assert damage_of(checkpoint) == 'it does not exist'
