"""Two processes on CPUs; what one optimiser does there is in test_tools/test_train_and_test.py."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[3]
RECORDER = '''
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner.checkpoint import get_state_dict
from mmvireid.registry import HOOKS

@HOOKS.register_module()
class RankRecorder(Hook):
    """Every process writes down its own model, first and last."""

    def before_train(self, runner):
        torch.save(get_state_dict(runner.model), f'first_{get_rank()}.pth')

    def after_train_epoch(self, runner):
        torch.save(get_state_dict(runner.model), f'epoch_{runner.epoch + 1}_{get_rank()}.pth')
'''


@pytest.mark.parametrize(
    'config', ['dgvae/dgvae-discriminator_sysu', 'aligngan/aligngan_sysu', 'hicmd/hicmd_sysu']
)
def test_two_processes_stay_equal_through_all_stages(config, shrink, tmp_path):
    cfg = shrink(str(ROOT / f'configs/{config}.py'))
    (tmp_path / 'rank_recorder.py').write_text(RECORDER)
    cfg.custom_imports = dict(imports=['rank_recorder'])
    cfg.custom_hooks.append(dict(type='RankRecorder'))
    cfg.dump(tmp_path / 'two.py')
    environment = os.environ | dict(
        PORT='29621', PYTHON=sys.executable, PYTHONPATH=str(tmp_path),
        CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1',
    )  # fmt: skip
    finished = subprocess.run(
        [str(ROOT / 'tools/dist_train.sh'), 'two.py', '2', '--work-dir', 'two'],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]

    def load(name):
        return [torch.load(tmp_path / f'{name}_{rank}.pth', weights_only=True) for rank in (0, 1)]

    start = load('first')[0]
    last = cfg.train_cfg.max_epochs
    for epoch in range(1, last + 1):  # a stage each
        ours, theirs = load(f'epoch_{epoch}')
        for key, value in ours.items():
            assert torch.equal(value, theirs[key]), (epoch, key)
    assert set(ours) == set(start)
    assert {k.split('.')[0] for k in ours if not torch.equal(ours[k], start[k])} == {
        key.split('.')[0] for key in start
    }
    checkpoint = torch.load(tmp_path / f'two/epoch_{last}.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in checkpoint.values())


TOY = '''
"""python toy.py RANK: one of two processes of an alternating training, each with half the batch."""
import sys

import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import get_state_dict
from torch import nn

from mmvireid.engine.runner.distributed import ReIDSeparateDistributedDataParallel
from mmvireid.models.base import AlternatingReID
from mmvireid.structures import ReIDDataSample


def network(*sizes):
    layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), nn.Tanh())]
    return nn.Sequential(*layers[:-1])


class Translator(AlternatingReID):
    updates = dict(critic=('critic',), generators=('generators', 'classifier'))

    def __init__(self):
        super().__init__(loss_weights=dict(real=1.0, fake=1.0, fool=1.0, cycle=1.0, identity=1.0))
        self.to_infrared, self.to_visible = network(24, 24, 24), network(24, 24, 24)
        self.critic, self.classifier = network(24, 8, 1), network(24, 3)

    def loss_critic(self, inputs, data_samples, shared):
        visible, infrared = (images.flatten(1) for images in inputs.values())
        fake = self.to_infrared(visible)  # called here, not trained here
        return dict(
            real=F.softplus(-self.critic(infrared)).mean(),
            fake=F.softplus(self.critic(fake)).mean(),
        )

    def loss_generators(self, inputs, data_samples, shared):
        visible, infrared = (images.flatten(1) for images in inputs.values())
        fake_infrared, fake_visible = self.to_infrared(visible), self.to_visible(infrared)
        # both generators a second time, before one backward pass
        again = self.to_visible(fake_infrared), self.to_infrared(fake_visible)
        labels = self.gt_labels(data_samples)[: len(visible)]
        return dict(
            fool=F.softplus(-self.critic(fake_infrared)).mean(),  # the critic is only called
            cycle=F.l1_loss(again[0], visible) + F.l1_loss(again[1], infrared),
            identity=F.cross_entropy(self.classifier(fake_infrared), labels),
        )

    def extract(self, inputs):
        return self.to_infrared(inputs['visible'].flatten(1))


def batches(part):
    """Ten batches; a process has every second of the three times four images of a modality."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(10):
        images = torch.randint(0, 256, (24, 3, 4, 2), generator=generator).to(torch.uint8)
        samples = [
            ReIDDataSample(gt_label=i % 12 // 4, modality='visible' if i < 12 else 'infrared')
            for i in range(24)
        ]
        yield dict(inputs=images[part], data_samples=samples[part])


def train(part, wrap):
    init_default_scope('mmvireid')
    torch.manual_seed(0)
    model = wrap(Translator())
    adam, sgd = dict(type='Adam', lr=1e-3), dict(type='SGD', lr=0.05, momentum=0.9)
    optimisers = build_optim_wrapper(model, dict(
        constructor='AlternatingOptimWrapperConstructor',
        critic=dict(modules=['critic'], optimizer=adam, clip_grad=dict(max_norm=0.1)),
        generators=dict(modules=['to_infrared', 'to_visible'], optimizer=adam),
        classifier=dict(modules=['classifier'], optimizer=sgd),
    ))
    logs = []
    for data in batches(part):
        logs.append({k: v.detach() for k, v in model.train_step(data, optimisers).items()})
        if part.start != 1:  # what a hook draws on the main process alone
            with torch.no_grad():
                model.test_step(data)
    return dict(weights=get_state_dict(model), logs=logs)


if __name__ == '__main__':
    rank = int(sys.argv[1])
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', init_method='file://' + sys.argv[2] + '/rendezvous', rank=rank, world_size=2
    )
    result = train(
        slice(rank, None, 2),
        lambda model: ReIDSeparateDistributedDataParallel(model, find_unused_parameters=True),
    )
    torch.save(result, sys.argv[2] + f'/rank_{rank}.pth')
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
'''


def test_two_processes_equal_one_on_the_joint_batch(tmp_path):
    script = tmp_path / 'toy.py'
    script.write_text(TOY)
    environment = os.environ | dict(CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1')
    command = [sys.executable, str(script)]
    processes = [
        subprocess.Popen(
            [*command, str(rank), str(tmp_path)], cwd=ROOT, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    try:
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], outputs
    joint = runpy.run_path(str(script))['train'](slice(0, None), lambda model: model)
    ranks = [torch.load(tmp_path / f'rank_{rank}.pth', weights_only=True) for rank in (0, 1)]
    for key, value in joint['weights'].items():
        assert torch.equal(ranks[0]['weights'][key], ranks[1]['weights'][key]), key
        torch.testing.assert_close(ranks[0]['weights'][key], value, rtol=0, atol=1e-5, msg=key)
    for ours, theirs, both in zip(*(result['logs'] for result in (*ranks, joint))):
        assert set(ours) == set(both)
        for key, value in both.items():
            # gradients are averaged before their norm is taken; losses are each process's own
            mean = (ours[key] + theirs[key]) / 2
            torch.testing.assert_close(mean, value, rtol=1e-4, atol=1e-5, msg=key)
            assert not key.endswith('grad_norm') or ours[key] == theirs[key]
