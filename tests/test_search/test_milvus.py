"""What happens between a gallery and Milvus, beside what is asked."""

import fcntl
import os
import signal
import sys

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.search import Gallery, milvus

pytest.importorskip('pymilvus')
pytest.importorskip('milvus_lite')

MODEL = ('agw', 'a' * 64)
TWO = FeatureSet(np.eye(2), [1, 2], [1, 3], ['visible', 'infrared'], ['a', 'b'])


@pytest.fixture
def address(tmp_path):
    return str(tmp_path / 'gallery.db')


def test_a_file_that_another_process_has_open_is_waited_for(address):
    with Gallery(address, *MODEL) as opened:
        opened.add(TWO)
    lock = os.open(f'{address}/LOCK', os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(
        RuntimeError, match='is in use: another process.*0.2 s. Nothing was changed'
    ):
        Gallery(address, *MODEL, timeout=0.2)
    previous = signal.signal(signal.SIGALRM, lambda *_: os.close(lock))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with Gallery(address, *MODEL) as opened:  # waits until the other one is done
            assert (opened.add(TWO), len(opened)) == (0, 2)
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_a_file_that_could_not_be_opened_is_let_go(address, monkeypatch):
    import pymilvus

    started = pymilvus.MilvusClient

    def fail(**options):
        started(**options)
        raise pymilvus.exceptions.MilvusException(message='too slow.')

    monkeypatch.setattr(pymilvus, 'MilvusClient', fail)
    with pytest.raises(RuntimeError, match=r'does not work: too slow\. Either'):
        Gallery(address, *MODEL)
    monkeypatch.undo()
    with Gallery(address, *MODEL, timeout=0.2) as opened:
        assert opened.add(TWO) == 2


@pytest.mark.parametrize('timeout', [0, -1, float('nan'), float('inf')])
def test_what_is_no_time_to_wait_is_refused(address, timeout):
    with pytest.raises(ValueError, match='`timeout` is .*, expected seconds above 0'):
        Gallery(address, *MODEL, timeout=timeout)


def test_addresses_that_are_none(tmp_path, capfd):
    with pytest.raises(FileNotFoundError, match='nowhere.db.*does not exist'):
        Gallery(str(tmp_path / 'nowhere.db'))
    assert not (tmp_path / 'nowhere.db').exists()
    with pytest.raises(ValueError, match="gallery.txt', expected a name that ends in .db"):
        Gallery(str(tmp_path / 'gallery.txt'), *MODEL)
    (tmp_path / 'file.db').write_bytes(b'SQLite format 3')
    with pytest.raises(ValueError, match='no gallery of milvus-lite 3 or newer'):
        Gallery(str(tmp_path / 'file.db'), *MODEL)
    (tmp_path / 'file.db').unlink()
    (tmp_path / 'folder.db').mkdir()
    (tmp_path / 'folder.db/mine.txt').write_text('mine')
    with pytest.raises(ValueError, match='no gallery of milvus-lite'):
        Gallery(str(tmp_path / 'folder.db'), *MODEL)
    with pytest.raises(ValueError, match="`index` is 'IVF'"):
        Gallery(str(tmp_path / 'a.db'), *MODEL, index='IVF')
    with pytest.raises(RuntimeError, match='http://127.0.0.1:9 does not work.*server running') as e:
        Gallery('http://127.0.0.1:9', *MODEL, timeout=0.5)
    assert '\n' not in str(e.value)
    assert capfd.readouterr().err == ''


def test_the_extra_is_named(monkeypatch, address):
    monkeypatch.setitem(sys.modules, 'milvus_lite', None)
    with pytest.raises(RuntimeError, match=r"extra 'search': pip install -e '.\[search\]'"):
        Gallery(address, *MODEL)


def test_what_another_process_has_done_meanwhile_is_no_error():
    from pymilvus.exceptions import MilvusException

    tries = []

    def make():
        tries.append(1)
        raise MilvusException(message='it is there already')

    milvus.retry_if(make, lambda: True)
    assert len(tries) == 1
    with pytest.raises(MilvusException):
        milvus.retry_if(make, lambda: False)
    assert len(tries) == 3
