import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import MultiStepLR
from mmengine.runner.checkpoint import CheckpointLoader

import mmvireid.engine.hooks  # noqa: F401  (registers the loader)
from mmvireid.storage.checkpoint import check_state_dict, from_plain, load_checkpoint, to_plain


@pytest.mark.parametrize('how', ['system', 'eval'])
@pytest.mark.parametrize('zipped', [True, False])
def test_a_file_that_carries_code_is_refused_and_nothing_runs(tmp_path, how, zipped, make_exploit):
    trace, file = tmp_path / 'trace', tmp_path / 'evil.pth'
    torch.save(
        dict(state_dict={}, meta=make_exploit(trace, how)),
        file,
        _use_new_zipfile_serialization=zipped,
    )
    for load in (load_checkpoint, CheckpointLoader.load_checkpoint):
        with pytest.raises(ValueError, match='is refused'):
            load(str(file))
    assert not trace.exists()
    torch.load(file, weights_only=False)  # the trap does work
    assert trace.exists()


class GetattrExploit:
    """What ``add_safe_globals([getattr])`` would let through: any method of any value."""

    def __reduce__(self):
        return getattr, ('text', 'upper')


def test_getattr_is_inert(tmp_path):
    file = tmp_path / 'evil.pth'
    torch.save(dict(found=GetattrExploit()), file)
    assert load_checkpoint(str(file))['found'] is None


def stock_checkpoint():
    """What MMEngine 0.10 writes: pickled histories, numpy values."""
    return dict(
        meta=dict(epoch=1, iter=np.int64(7), config='raise SystemExit("executed")'),
        state_dict=OrderedDict(weight=torch.ones(2)),
        message_hub=dict(
            log_scalars=OrderedDict({'train/loss': HistoryBuffer([3.0, 2.0], [1, 1])}),
            runtime_info=OrderedDict(best_score=np.float64(0.5)),
            resumed_keys=OrderedDict({'train/loss': True}),
        ),
        param_schedulers=[dict(last_step=3, anneal=len)],
    )


def test_a_stock_file_is_read_through_stand_ins(tmp_path):
    file = tmp_path / 'stock.pth'
    torch.save(stock_checkpoint() | dict(param_schedulers=[]), file)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file)
    checkpoint = load_checkpoint(str(file))
    assert 'config' not in checkpoint['meta']  # Runner.resume would execute it
    from_plain(checkpoint)
    history = checkpoint['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert history.mean() == 2.5
    assert checkpoint['message_hub']['runtime_info']['best_score'] == 0.5


def test_plain_files_need_no_exception_and_lose_nothing(tmp_path):
    file = tmp_path / 'plain.pth'
    original = stock_checkpoint()
    checkpoint = copy.deepcopy(original)
    to_plain(checkpoint)
    torch.save(checkpoint, file)
    assert torch.serialization.get_unsafe_globals_in_checkpoint(file) == []
    loaded = torch.load(file, weights_only=True)
    from_plain(loaded)
    for ours, theirs in zip(
        loaded['message_hub']['log_scalars']['train/loss'].data,
        original['message_hub']['log_scalars']['train/loss'].data,
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded['param_schedulers'] == [dict(last_step=3)]
    assert loaded['meta']['iter'] == 7


def test_a_file_cut_short_is_named(tmp_path):
    file = tmp_path / 'half.pth'
    torch.save(dict(state_dict=dict(weight=torch.ones(10_000))), file)
    file.write_bytes(file.read_bytes()[:20_000])
    with pytest.raises(ValueError, match=r'half\.pth.*cut short'):
        load_checkpoint(str(file))


def test_what_cannot_be_had_is_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match='no such file'):
        load_checkpoint(str(tmp_path / 'none.pth'))
    with pytest.raises(ValueError, match='open-mmlab'):
        load_checkpoint('open-mmlab://resnet50')
    with pytest.raises(ValueError, match='names no torchvision weights'):
        load_checkpoint('torchvision://resnet51')

    def offline(*args, **kwargs):
        raise OSError('Name or service not known')

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', offline)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))  # nothing was had before
    with pytest.raises(RuntimeError, match=r'`model\.backbone\.init_cfg\.checkpoint`'):
        load_checkpoint('torchvision://resnet50')
    with pytest.raises(RuntimeError, match=r'or set `model\.edge_loss\.weights` to a local file'):
        load_checkpoint('torchvision://vgg16', key='model.edge_loss.weights')


def test_torchvision_names(monkeypatch):
    urls = []
    monkeypatch.setattr(
        torch.hub, 'load_state_dict_from_url', lambda url, **kwargs: urls.append(url) or {}
    )
    load_checkpoint('torchvision://resnet50')
    load_checkpoint('torchvision://resnet50.imagenet1k_v2')
    assert [url.rsplit('/', 1)[1] for url in urls] == [
        'resnet50-0676ba61.pth',
        'resnet50-11ad3fa6.pth',
    ]


def test_misfits_are_counted_and_named():
    model = dict(a=torch.zeros(2), b=torch.zeros(3), c=torch.zeros(1))
    with pytest.raises(ValueError) as error:
        check_state_dict(model, dict(a=torch.zeros(5), d=torch.zeros(1)), source='old.pth')
    message = str(error.value)
    assert 'old.pth' in message
    assert '2 missing: b, c' in message
    assert '1 not in the model: d' in message
    assert 'a (5,) instead of (2,)' in message
    check_state_dict(model, model, source='itself')


def test_a_resumed_schedule_still_steps(tmp_path):
    def schedule():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        return optimizer, MultiStepLR(optimizer, milestones=[2, 3], gamma=0.1, by_epoch=True)

    def rates(optimizer, scheduler, steps):
        found = []
        for _ in range(steps):
            optimizer.step()
            scheduler.step()
            found.append(optimizer.param_groups[0]['lr'])
        return found

    optimizer, scheduler = schedule()
    checkpoint = dict(param_schedulers=[scheduler.state_dict()], optimizer=optimizer.state_dict())
    to_plain(checkpoint)
    torch.save(checkpoint, tmp_path / 'plain.pth')
    checkpoint = torch.load(tmp_path / 'plain.pth', weights_only=True)
    from_plain(checkpoint)
    optimizer, scheduler = schedule()
    scheduler.load_state_dict(checkpoint['param_schedulers'][0])
    assert rates(optimizer, scheduler, 4) == pytest.approx([1.0, 0.1, 0.01, 0.01])


@pytest.mark.parametrize('content', ['', '<!DOCTYPE html><html></html>', 'version https://git-lfs'])
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path, content):
    """And no word of code, or of how to read it all the same."""
    path = tmp_path / 'x.pth'
    path.write_text(content)
    for load in (load_checkpoint, CheckpointLoader.load_checkpoint):
        with pytest.raises(ValueError, match=r'x\.pth. is no checkpoint but an? ') as error:
            load(str(path))
        assert 'code' not in str(error.value) and 'weights_only' not in str(error.value)


@pytest.mark.parametrize('zipped', [True, False])
def test_a_refusal_names_what_would_run_and_gives_no_advice_how_to_run_it(
    tmp_path, zipped, make_exploit
):
    path = tmp_path / 'evil.pth'
    exploit = make_exploit(tmp_path / 'trace', 'system')
    torch.save(dict(a=exploit), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r'\(posix\.system\) and could run code') as error:
        load_checkpoint(str(path))
    assert 'weights_only' not in str(error.value)


@pytest.mark.parametrize('length', range(2, 60, 3))
def test_a_pickle_cut_anywhere_is_one_line(tmp_path, length):
    """Torch's reader raises whatever comes: IndexError, struct.error, ..."""
    path = tmp_path / 'cut.pth'
    content = dict(a=[1, 2.5, 'text', (3, None)], b=torch.ones(2))
    torch.save(content, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r'cut\.pth. is not a readable checkpoint, it may be cut'):
        load_checkpoint(str(path))


def test_what_a_download_has_brought_is_looked_at(tmp_path, monkeypatch):
    """A server's page in torch's cache; and a stock file, which torch alone would not read."""
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints/page.pth').write_text('<html></html>')
    with pytest.raises(ValueError, match=r'https://example\.org/page\.pth .* but a web page'):
        load_checkpoint('https://example.org/page.pth')
    torch.save(stock_checkpoint() | dict(param_schedulers=[]), tmp_path / 'checkpoints/stock.pth')
    assert load_checkpoint('https://example.org/stock.pth')['meta']['iter'] == 7
