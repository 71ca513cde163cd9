import json

import pytest
from mmengine.config import Config

from mmvireid.registry import VISBACKENDS
from mmvireid.visualization import LocalVisBackend, local_vis_backend


@pytest.fixture
def backend(tmp_path):
    built = VISBACKENDS.build(dict(type='LocalVisBackend', save_dir=str(tmp_path)))
    assert type(built) is LocalVisBackend
    return built


def test_a_disk_that_takes_nothing_is_said_once_and_ends_nothing(backend, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(local_vis_backend, 'print_log', lambda message, *_: said.append(message))

    def full(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    backend.add_scalars(dict(loss=1.0), step=1)
    with monkeypatch.context() as disk:
        disk.setattr('builtins.open', full)
        backend.add_scalars(dict(loss=2.0), step=2)
        backend.add_scalar('loss', 3.0, step=3)
        backend.add_config(Config(dict(a=1)))
    backend.add_scalar('loss', 4.0, step=4)  # there is room again
    lines = (tmp_path / 'scalars.json').read_text().splitlines()
    assert [json.loads(line)['step'] for line in lines] == [1, 4]
    assert len(said) == 1 and '(No space left on device)' in said[0]


def test_a_wrong_value_is_still_an_error(backend):
    with pytest.raises(AssertionError):
        backend.add_scalars([1.0])
