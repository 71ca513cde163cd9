"""Workers that die or refuse something: the main process says at which image."""

import gc
import os
import signal
import time
from multiprocessing import get_context
from types import FunctionType

import pytest
from torch.utils.data import DataLoader, Dataset

from mmvireid.datasets import SYSUMM01, LoadReIDImage, reid_collate
from mmvireid.datasets.loading.worker_failure import note_image, noted_image, worker_failure
from mmvireid.engine.runner import clear_errors, distributed


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    """PyTorch waits five seconds for each worker that hangs because another one has died."""
    monkeypatch.setattr('torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL', 0.1)
    yield
    gc.collect()


class Deadly(Dataset):
    """Fails at its sixth image, in the way that it is told."""

    def __init__(self, fail):
        self.fail = fail

    def __len__(self):
        return 12

    def __getitem__(self, index):
        note_image(f'/data/{index}.png')
        if index == 5:
            self.fail()
        return index


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def leave():
    os._exit(3)


def refuse():
    LoadReIDImage((4, 2)).load('/nowhere/5.png')


def refuse_with_a_note():
    try:
        LoadReIDImage((0, 2))
    except ValueError as error:
        error.add_note('The image was /data/5.png.')
        raise


def break_down():
    raise ZeroDivisionError('of no meaning')


def break_down_in_the_package():
    reid_collate(5)


def load(fail, num_workers=2):
    list(DataLoader(Deadly(fail), num_workers=num_workers, multiprocessing_context='fork'))


def first_error(fail):
    with pytest.raises(Exception) as error:
        load(fail)
    return error.value


@pytest.mark.parametrize('fail', [be_killed, leave])
@pytest.mark.parametrize('num_workers', [1, 2])
def test_a_dead_worker_leaves_the_image_that_it_was_at(fail, num_workers):
    """Whether PyTorch notices the death at once, or a broken connection before it.

    Its signal can strike just where the innermost context is left, and replace that context's
    error; `distributed` lies within `clear_errors` here as in tools/train.py.
    """
    with pytest.raises(SystemExit) as end, clear_errors('train'), distributed('none'):
        load(fail, num_workers)
    message = str(end.value)
    assert message.startswith('train: ')
    assert 'DataLoader worker (pid' in message
    assert 'It last began to load /data/5.png.' in message
    assert '--resume' in message and '\n' not in message


def die_late():
    note_image('/data/late.png')
    time.sleep(0.3)
    os._exit(3)


@pytest.mark.parametrize('module', ['torch.utils.data.dataloader', 'somewhere.else'])
def test_a_broken_connection_to_a_worker_is_its_death(module):
    """It is felt some time before the worker is dead; elsewhere it has nothing to do with that."""

    def read():
        raise ConnectionResetError('by peer')

    read_in_module = FunctionType(read.__code__, dict(__name__=module))
    child = get_context('fork').Process(target=die_late)
    child.start()
    while noted_image(child.pid) is None:
        time.sleep(0.01)
    own = module == 'somewhere.else'
    with pytest.raises(ConnectionResetError if own else SystemExit) as end, clear_errors('train'):
        read_in_module()
    assert ('It last began to load /data/late.png.' in str(end.value)) is not own
    child.join()


def test_what_the_package_refuses_in_a_worker_is_one_line():
    message = worker_failure(first_error(refuse))
    assert message.startswith('read_image: cannot read /nowhere/5.png (')
    assert message.endswith('finds all such files.')
    message = worker_failure(first_error(refuse_with_a_note))
    assert message.startswith('LoadReIDImage: `size` is (0, 2), expected')
    assert message.endswith('at least 1. The image was /data/5.png.')


def test_a_bug_in_a_worker_keeps_its_traceback():
    error = first_error(break_down)
    assert isinstance(error, ZeroDivisionError) and worker_failure(error) is None
    assert worker_failure(first_error(break_down_in_the_package)) is None
    assert worker_failure(ValueError('anything else')) is None


def test_a_command_ends_with_this_line():
    with pytest.raises(SystemExit, match='^train: read_image: .*'), clear_errors('train'):
        load(refuse)


@pytest.fixture
def path(sysu_root):
    """An image of the training split."""
    return sysu_root / 'cam3' / '0007' / '0002.png'


def load_all(root, *transforms):
    pipeline = [dict(type='LoadReIDImage', size=(12, 6)), *transforms, dict(type='PackReIDInputs')]
    dataset = SYSUMM01(root, 'train', pipeline=pipeline)
    list(DataLoader(dataset, num_workers=2, collate_fn=reid_collate))


def test_an_unreadable_image_is_named_at_the_end(sysu_root, path):
    path.write_bytes(b'no image')
    with pytest.raises(ValueError, match='Caught InvalidValueError in DataLoader worker') as error:
        load_all(sysu_root)
    last = str(error.value).splitlines()[-1]
    refusal = 'mmvireid.errors.InvalidValueError: read_image: cannot read'
    assert last.startswith(f'{refusal} {path} (no decoder can read it). Fetch it again')
    with pytest.raises(SystemExit) as end, clear_errors('train'):
        load_all(sysu_root)
    assert str(end.value).startswith(f'train: read_image: cannot read {path} (')
    assert '\n' not in str(end.value)


@pytest.mark.parametrize('fail', [be_killed, break_down])
def test_a_data_set_says_what_it_is_at(sysu_root, path, fail):
    def spoil(results):
        if results['img_path'] == str(path):
            fail()
        return results

    with (
        pytest.raises((SystemExit, ZeroDivisionError)) as error,
        clear_errors('train'),
        distributed('none'),
    ):
        load_all(sysu_root, spoil)
    if fail is be_killed:
        assert f'last began to load {path}.' in str(error.value)
    else:
        assert str(error.value).splitlines()[-1] == f'The image was {path}.'


def test_a_note_is_that_of_the_process_and_of_nobody_else():
    note_image('/data/' + 'long/' * 40 + '0.png')
    note_image('/data/1.png')
    assert noted_image(os.getpid()) == '/data/1.png'
    assert noted_image(os.getpid() + 1024) is None  # the same slot
    child = get_context('fork').Process(target=note_image, args=('/data/child.png',))
    child.start()
    child.join()
    assert noted_image(child.pid) == '/data/child.png'
    assert noted_image(os.getpid()) == '/data/1.png'


def test_a_long_path_is_cut_and_harms_no_neighbour():
    def note_all(count):
        children = [
            get_context('fork').Process(target=note_image, args=(str(i) * 3000,))
            for i in range(count)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
        return [noted_image(child.pid) for child in children]

    for number, path in enumerate(note_all(3)):
        assert set(path) == {str(number)} and 1000 < len(path) < 1024
