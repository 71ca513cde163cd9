"""A run in which everything that can be random is."""

import random
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmvireid.datasets import SeededIndex, reid_collate
from mmvireid.datasets.loading.seeded_index import seeded_randomness
from mmvireid.models.base import BaseReID
from mmvireid.structures import MODALITIES, ReIDDataSample


class ToyData(list):
    """Three identities, four images of each in both modalities, with random brightness."""

    metainfo = dict(dataset='toy', split='train', num_ids=3)

    def __init__(self):
        super().__init__(
            dict(modality=modality, gt_label=label, person_id=label, camera_id=1, name=f'{i}.png')
            for modality in MODALITIES
            for label in range(3)
            for i in range(4)
        )

    def get_data_info(self, index):
        return list.__getitem__(self, index)

    def __getitem__(self, index):
        index = index if isinstance(index, SeededIndex) else SeededIndex(index, 0)
        row = self.get_data_info(index.index)
        with seeded_randomness(index.seed):
            image = torch.full((3, 4, 2), random.randrange(256), dtype=torch.uint8)
        image[:, row['gt_label']] = 255
        labels = {key: row[key] for key in ('gt_label', 'person_id', 'camera_id', 'modality')}
        return dict(
            inputs=image, data_samples=ReIDDataSample(metainfo=dict(name=row['name']), **labels)
        )


class ToyReID(BaseReID):
    """A linear layer behind BatchNorm and dropout."""

    def __init__(self):
        super().__init__(loss_weights=dict(identity=1.0))
        self.layers = nn.Sequential(nn.BatchNorm1d(24), nn.Dropout(0.5), nn.Linear(24, 3))

    def extract(self, inputs):
        return self.layers(torch.cat(list(inputs.values())).flatten(1))

    def loss(self, inputs, data_samples):
        logits = self.extract(inputs)
        return dict(identity=nn.functional.cross_entropy(logits, self.gt_labels(data_samples)))


class LossRecorder(Hook):
    """Losses and rates by iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.rows = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        rate = runner.optim_wrapper.param_groups[0]['lr']
        self.rows[runner.iter + 1] = outputs['loss'].item(), rate, batch_idx


@pytest.fixture
def toy_runner(tmp_path):
    """``toy_runner('name')``: 3 epochs of 4 iterations in the folder of that name.

    ``hooks`` are added, ``resume`` is a checkpoint; its losses are in ``runner.recorder.rows``.
    """

    def build(
        name, hooks=(), resume=None, checkpoint=None, num_workers=0, kind=Runner, **settings
    ) -> Runner:
        recorder = LossRecorder()
        torch.manual_seed(0)  # of the weights
        schedule = dict(type='MultiStepLR', milestones=[1, 2], gamma=0.5, by_epoch=True)
        runner = kind(
            model=ToyReID(),
            work_dir=str(tmp_path / name),
            train_dataloader=dict(
                dataset=ToyData(),
                batch_size=8,
                num_workers=num_workers,
                sampler=dict(type='DefaultSampler', shuffle=True),
                batch_sampler=dict(
                    type='CrossModalityBatchSampler', num_ids=2, num_instances=2, num_batches=4
                ),
                collate_fn=reid_collate,
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
            param_scheduler=schedule,
            **dict(train_cfg=dict(type='ResumableTrainLoop', max_epochs=3), randomness=dict(seed=0))
            | settings,
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', interval=1) | (checkpoint or {}),
                sampler_seed=dict(type='DistSamplerSeedHook'),
                logger=None,
            ),
            custom_hooks=[
                dict(type='IterationSeedHook'),
                dict(type='PlainCheckpointHook'),
                recorder,
                *hooks,
            ],
            load_from=resume and str(resume),
            resume=resume is not None,
            experiment_name=f'{tmp_path.name}_{name}_{len(list(Path(tmp_path).rglob("*")))}',
            default_scope='mmvireid',
            log_level='ERROR',
        )
        runner.recorder = recorder
        return runner

    return build


@pytest.fixture
def straight(toy_runner):
    """The run that nobody disturbed."""
    runner = toy_runner('straight')
    runner.train()
    return runner
