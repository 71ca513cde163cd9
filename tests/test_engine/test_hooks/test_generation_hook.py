import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from mmvireid.datasets import SeededIndex
from mmvireid.engine.hooks import GenerationHook
from mmvireid.models.base import BaseReID

PIPELINE = [
    dict(type='LoadReIDImage', size=(32, 16)),
    dict(type='RandomPadCrop', padding=4),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackReIDInputs'),
]


class Toy(BaseReID):
    """A generator with everything that a picture could disturb: statistics, dropout, noise."""

    def __init__(self):
        super().__init__(loss_weights=dict(rebuild=1.0))
        self.generator = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout(0.5))

    def loss(self, inputs, data_samples):
        fake = self.generator(inputs['visible'] + torch.randn_like(inputs['visible']))
        return dict(rebuild=(fake - inputs['infrared']).square().mean())

    def generate(self, inputs):
        assert not self.training and not torch.is_grad_enabled()
        noise = torch.randn_like(inputs['visible']) + float(np.random.rand())  # noqa: NPY002
        return {
            'visible': inputs['visible'],
            'noise': noise,
            'fake': self.generator(inputs['visible']),
            'infrared': inputs['infrared'],
        }

    extract = None


@pytest.fixture
def train(rendered, tmp_path):
    """``train(hook=dict(...))``: two epochs of four iterations; the runner."""
    number = itertools.count()

    def call(hook=None, model=None, lr=0.1, backends=('LocalVisBackend',)):
        torch.manual_seed(0)
        name = f'{tmp_path.name}_{next(number)}'
        work_dir = tmp_path / name
        runner = Runner(
            model=model or Toy(),
            work_dir=str(work_dir),
            train_dataloader=dict(
                dataset=dict(
                    type='SYSUMM01', data_root=rendered('sysu'), split='train', pipeline=PIPELINE
                ),
                batch_size=8,
                batch_sampler=dict(
                    type='CrossModalityBatchSampler', num_ids=2, num_instances=2, num_batches=4
                ),
                sampler=dict(type='DefaultSampler'),
                collate_fn=dict(type='mmvireid.reid_collate'),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr)),
            default_hooks=dict(checkpoint=None, logger=None),
            custom_hooks=[dict(type='GenerationHook', **hook)] if hook is not None else [],
            visualizer=dict(type='Visualizer', vis_backends=[dict(type=b) for b in backends]),
            randomness=dict(seed=0),
            experiment_name=name,
            default_scope='mmvireid',
            log_level='ERROR',
        )
        runner.train()
        pictures = {
            int(path.stem.split('_')[1]): cv2.imread(str(path))
            for path in work_dir.rglob('generated_*.png')
        }
        return runner, dict(sorted(pictures.items()))

    return call


def hook_of(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, GenerationHook))


def test_a_picture_every_so_often_and_after_the_last_iteration(train):
    _, pictures = train(dict(interval=3))
    assert list(pictures) == [3, 6, 8]
    assert len({picture.shape for picture in pictures.values()}) == 1
    # the generator has learned, the real images and the noise have stayed the same
    changed = np.abs(pictures[3].astype(int) - pictures[6]).sum(axis=(0, 2)) > 0
    changed[:100] = False  # the title counts the iterations
    columns = np.flatnonzero(changed)
    assert 60 < columns.max() - columns.min() <= 64  # one column of images that wide


def test_rows_show_one_person_each_in_the_seeds_augmentation(train):
    runner, _ = train(dict(num_images=3, seed=5))
    hook = hook_of(runner)
    samples = hook.batch['data_samples']
    assert [s.modality for s in samples] == ['visible'] * 3 + ['infrared'] * 3
    ids = [s.person_id for s in samples]
    assert ids[:3] == ids[3:] and len(set(ids)) == 3
    assert hook.captions == [f'person {i}' for i in ids[:3]]
    dataset = runner.train_dataloader.dataset
    names = [dataset.get_data_info(i)['name'] for i in range(len(dataset))]
    for image, sample in zip(hook.batch['inputs'], samples):
        expected = dataset[SeededIndex(names.index(sample.name), 5)]['inputs']
        assert torch.equal(image, expected)


def test_real_images_are_drawn_in_their_colours(train):
    runner, pictures = train(dict(num_images=2))
    # 128 pixels high: every pixel of a 32 x 16 image is four times four pixels of the picture
    for row, image in enumerate(hook_of(runner).batch['inputs'][:2]):
        expected = image.permute(1, 2, 0).numpy().repeat(4, axis=0).repeat(4, axis=1)
        top = pictures[8].shape[0] - (2 - row) * (128 + 6)
        strip = pictures[8][top : top + 128]
        windows = np.lib.stride_tricks.sliding_window_view(strip, (64,), axis=1)
        gaps = np.abs(windows[:, :100].astype(int) - expected.transpose(0, 2, 1)[:, None])
        assert gaps.max(axis=(0, 2, 3)).min() <= 1


def test_training_does_not_notice(train):
    drawn, pictures = train(dict(interval=1))
    plain, nothing = train()
    assert len(pictures) == 8 and not nothing
    for key, value in plain.model.state_dict().items():
        assert torch.equal(drawn.model.state_dict()[key], value), key
    assert drawn.model.training and drawn.model.generator[1].num_batches_tracked == 8


def test_there_are_no_more_people_than_the_split_has(train):
    runner, _ = train(dict(num_images=1000))
    assert len(hook_of(runner).captions) == runner.train_dataloader.dataset.metainfo['num_ids']


def test_another_process_draws_nothing(train, monkeypatch):
    monkeypatch.setattr('mmvireid.engine.hooks.generation_hook.is_main_process', lambda: False)
    runner, pictures = train(dict(interval=1))
    assert pictures == {} and not hasattr(hook_of(runner), 'batch')


def test_tensorboard_gets_the_picture_too(train):
    pytest.importorskip('tensorboard')
    runner, pictures = train(dict(), backends=('LocalVisBackend', 'TensorboardVisBackend'))
    runner.visualizer.close()  # it writes in the background
    events = list(Path(runner.work_dir).rglob('events.out.tfevents*'))
    assert len(pictures) == len(events) == 1
    assert b'generated' in events[0].read_bytes()


def test_a_model_that_generates_nothing_is_named_before_training(train, monkeypatch):
    class Plain(Toy):
        generate = None

    monkeypatch.setattr(Plain, 'train_step', lambda *_: pytest.fail('training has started'))
    with pytest.raises(TypeError, match='GenerationHook: `model` is a Plain, expected one with'):
        train(dict(), model=Plain())


@pytest.mark.parametrize('settings', [dict(interval=0), dict(num_images=0)])
def test_nothing_to_draw_is_named(settings):
    with pytest.raises(ValueError, match='`interval` is .* and `num_images` is .* at least 1'):
        GenerationHook(**settings)


def test_the_seed_draws_the_people(train):
    captions = [hook_of(train(dict(num_images=4, seed=seed))[0]).captions for seed in (0, 0, 1)]
    assert captions[0] == captions[1] != captions[2]
