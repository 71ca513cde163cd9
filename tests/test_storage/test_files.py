import errno
import os
import stat

import pytest
import torch

from mmvireid.storage import check_output, damage_of, new_file, write_atomically
from mmvireid.storage.files import AtomicBackend, disk_failure


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


@pytest.mark.parametrize('number', [errno.EINVAL, errno.ENOTSUP, errno.EPERM, errno.ENOSYS])
@pytest.mark.parametrize('step', ['open', 'fsync'])
def test_a_file_system_that_cannot_sync_is_written_to_all_the_same(
    step, number, tmp_path, monkeypatch
):
    """Folders cannot even be opened on some; files that cannot be synced are no fault either."""

    def refuse(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, refuse)
    write_atomically(b'new', tmp_path / 'epoch_1.pth')
    monkeypatch.undo()
    assert (tmp_path / 'epoch_1.pth').read_bytes() == b'new'
    assert os.listdir(tmp_path) == ['epoch_1.pth']


def test_a_folder_is_no_reason_to_stop(tmp_path, monkeypatch):
    """Whatever its sync says: the file is there."""
    sync = os.fsync

    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, 'Input/output error')
        sync(descriptor)

    monkeypatch.setattr(os, 'fsync', fail)
    write_atomically(b'new', tmp_path / 'epoch_1.pth')
    assert (tmp_path / 'epoch_1.pth').read_bytes() == b'new'


def test_a_full_or_read_only_disk_is_one_line_and_other_errors_are_none():
    named = OSError(errno.EROFS, 'Read-only file system', '/data/x')
    expected = '/data/x cannot be written: Read-only file system. Make room, or write elsewhere.'
    assert disk_failure(named) == disk_failure(named, 'y') == expected
    unnamed = OSError(errno.ENOSPC, 'No space left on device')
    assert disk_failure(unnamed, 'y').startswith('y cannot be written: No space left')
    assert disk_failure(FileNotFoundError(errno.ENOENT, 'x')) is None
    assert disk_failure(ValueError('x')) is None


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


def test_what_is_no_checkpoint_is_damage_too(tmp_path):
    (tmp_path / 'x.pth').write_text('<html></html>')
    assert damage_of(tmp_path / 'x.pth').startswith('it is a web page')


def test_a_draft_takes_the_place_of_a_file_only_when_it_is_whole(tmp_path):
    path = tmp_path / 'new' / 'a.b.npz'
    with new_file(path) as draft:
        draft.write_text('first')
        assert draft.suffix == '.npz' and not path.exists()
    with pytest.raises(KeyError), new_file(path) as draft:
        draft.write_text('second')
        raise KeyError
    assert path.read_text() == 'first' and [*path.parent.iterdir()] == [path]


def test_links_and_devices_stay_what_they_are(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path / 'target')
    os.mkfifo(tmp_path / 'pipe')
    for name in ('link', 'pipe'):
        check_output(tmp_path / name)
        with new_file(tmp_path / name) as draft:
            if name == 'link':
                draft.write_text('content')
    assert (tmp_path / 'link').is_symlink() and (tmp_path / 'target').read_text() == 'content'
    assert (tmp_path / 'pipe').is_fifo() and draft == tmp_path / 'pipe'


def test_a_path_that_cannot_be_written_is_known_before(tmp_path):
    check_output(tmp_path / 'new' / 'x.json')
    assert [*(tmp_path / 'new').iterdir()] == []
    (tmp_path / 'file').write_text('kept')
    assert check_output(tmp_path / 'file').read_text() == 'kept'
    for path, reason in ((tmp_path / 'new', 'a folder'), (tmp_path / 'file/x.json', 'no folder')):
        with pytest.raises(ValueError, match=f'`path` is .{path}., which cannot be .*{reason}'):
            check_output(path)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_folders_and_files_that_may_only_be_read(tmp_path):
    (tmp_path / 'file').touch(mode=0o400)
    tmp_path.chmod(0o500)
    for name in ('file', 'other', 'new/x'):
        with pytest.raises(ValueError, match='Permission denied|may only be read'):
            check_output(tmp_path / name)
