"""Replaced images: said once, listed at the end, remembered in checkpoints."""

from types import SimpleNamespace

import pytest
import torch

from mmvireid.engine.hooks import ReplacedImagesHook, replaced_images_hook


@pytest.fixture
def warned(toy_runner, monkeypatch):
    """``warned('name', ...)``: the warnings of a run in which every second image is broken."""

    def run(name, **options):
        runner = toy_runner(name, hooks=[dict(type='ReplacedImagesHook')], **options)
        data = runner.train_dataloader.dataset

        class Broken(type(data)):
            def __getitem__(self, index):
                item, row = super().__getitem__(index), index.index
                if row % 2:
                    item['data_samples'].set_metainfo(dict(replaced=f'/data/{row}.png'))
                return item

        data.__class__ = Broken
        warnings = []
        monkeypatch.setattr(runner.logger, 'warning', warnings.append)
        runner.train()
        return warnings

    return run


BROKEN = sorted(f'/data/{row}.png' for row in range(1, 24, 2))


def paths(warnings):
    """Those that a run warned of one by one, and those that it listed."""
    *single, listed = warnings
    assert all('cannot be read' in warning for warning in single)
    head, *names = listed.splitlines()
    assert head.startswith(f'{len(names)} images could not be read')
    return [warning.split(' ', 1)[0] for warning in single], names


def test_each_is_said_once_and_all_at_the_end(warned):
    single, listed = paths(warned('straight'))
    assert len(single) == len(BROKEN) and set(single) == set(BROKEN)
    assert listed == BROKEN


def test_a_resumed_run_ends_with_the_whole_list(warned, tmp_path):
    all_single, _ = paths(warned('straight'))
    file = tmp_path / 'straight/epoch_1.pth'
    known = torch.load(file, weights_only=True)['message_hub']['runtime_info']['replaced_images']
    assert 0 < len(known) < len(BROKEN)
    single, listed = paths(warned('resumed', resume=file, num_workers=1))
    assert known + single == all_single
    assert listed == BROKEN


def test_nothing_replaced_is_nothing_said(toy_runner, monkeypatch):
    runner = toy_runner('sound', hooks=[dict(type='ReplacedImagesHook')])
    warnings = []
    monkeypatch.setattr(runner.logger, 'warning', warnings.append)
    runner.train()
    assert warnings == []
    assert runner.message_hub.get_info('replaced_images') is None


def test_the_list_is_that_of_all_processes(monkeypatch):
    monkeypatch.setattr(
        replaced_images_hook, 'all_gather_object', lambda mine: [mine, ['/data/2.png'], []]
    )
    warnings = []
    runner = SimpleNamespace(
        logger=SimpleNamespace(warning=warnings.append),
        message_hub=SimpleNamespace(get_info=lambda key, default: ['/data/3.png', '/data/2.png']),
    )
    ReplacedImagesHook().after_train(runner)
    assert warnings[0].splitlines()[1:] == ['/data/2.png', '/data/3.png']
    assert warnings[0].startswith('2 images')
