"""Two processes with half a batch each are one process with the whole batch.

This file is the program of those processes, too: ``python test_distributed_equivalence.py FOLDER
RANK WORLD_SIZE``. Float64 makes the comparison sharp: Adam turns rounding into steps.

A batch is a list of two halves. Where every loss is a mean over images, the one process joins them
(``joint``). A loss that compares images (triplets, swaps, pairs) is no such mean: the two processes
compare within their halves, so the one process takes the mean of the halves' losses, each with the
random numbers that it has in a process of its own.

BatchNorm is replaced by GroupNorm or, where halves are joined, synchronised. SyncBatchNorm itself
is refused on CPUs, by torch and by its data-parallel wrapper; a layer that gathers all images
stands in for it. What is tested, then, is that a method allows it: its processes must reach all
layers in the same order, forward and backward.
"""

import copy
import os
import runpy
import subprocess
import sys
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import get_state_dict
from torch import nn
from torch.distributed.nn.functional import all_gather
from torch.nn.modules.batchnorm import _BatchNorm

from mmvireid.datasets import noise_batch
from mmvireid.engine.hooks import StageHook
from mmvireid.models.base import AlternatingReID
from mmvireid.models.base.alternating_reid import Shared
from mmvireid.registry import HOOKS, MODEL_WRAPPERS, MODELS

ROOT = Path(__file__).parents[3]


def network(*sizes):
    layers = [
        layer
        for pair in pairwise(sizes)
        for layer in (nn.Linear(*pair), nn.BatchNorm1d(pair[1]), nn.Tanh())
    ]
    return nn.Sequential(*layers[:-2])


@MODELS.register_module()
class Translator(AlternatingReID):
    """An alternating method whose losses are means over images; images are 4 x 2."""

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


ADAM, SGD = dict(type='Adam', lr=1e-3), dict(type='SGD', lr=0.05, momentum=0.9)
TOY = dict(
    model=dict(type='Translator'),
    optim_wrapper=dict(
        constructor='AlternatingOptimWrapperConstructor',
        critic=dict(modules=['critic'], optimizer=ADAM, clip_grad=dict(max_norm=0.1)),
        generators=dict(modules=['to_infrared', 'to_visible'], optimizer=ADAM),
        classifier=dict(modules=['classifier'], optimizer=SGD),
    ),
    model_wrapper_cfg=dict(
        type='mmvireid.ReIDSeparateDistributedDataParallel', find_unused_parameters=True
    ),
)
NO_TRIPLET = {'model.loss_weights.triplet': 0.0}
GREY = dict(type='GreyAugmentation', prob=1.0)
SMALL = {'model.backbone.num_stages': 3}
BLUE = dict(type='ChannelCopyAugmentation', channels=(2,))
FOUR_VIEWS = dict(
    visible={},
    exchanged=dict(modality='visible', augmentations=[BLUE]),
    infrared={},
    scaled=dict(modality='infrared', augmentations=[BLUE]),
)
AS_DRAWN = {'model.data_preprocessor': None}
TWO_STAGES = [dict(name='all', end=5), dict(name='some', frozen=['visible_extractor'])]
#: What is trained: a config file or a config, and what differs from the defaults in `write_cases`.
CASES = dict(
    agw=dict(config='agw/agw_sysu', joint=True, options=NO_TRIPLET | SMALL),
    agw_sync_bn=dict(config='agw/agw_sysu', joint=True, sync_bn=True, options=NO_TRIPLET | SMALL),
    agw_triplet=dict(config='agw/agw_sysu', options=SMALL),
    # its stages see other views; nothing is drawn, as the processes would draw otherwise
    pmt=dict(
        config='pmt/pmt_sysu',
        size=(32, 32),
        batch=(2, 2),
        options={
            'model.backbone.dropout': 0.0,
            'model.backbone.drop_path': 0.0,
            'model.data_preprocessor.views.visible.augmentations': [],
            'model.data_preprocessor.views.grey.augmentations': [GREY],
            'model.data_preprocessor.views.infrared.augmentations': [],
        },
    ),
    # without augmentations, which processes draw for themselves
    mpanet=dict(config='mpanet/mpanet_sysu', iterations=3, options=AS_DRAWN),
    dns=dict(config='dns/dns_sysu', iterations=3, options=AS_DRAWN),
    staged=dict(config='dgvae/dgvae-discriminator_sysu', size=(32, 32)),
    staged_sync_bn=dict(
        config='dgvae/dgvae-baseline_sysu',
        joint=True,
        sync_bn=True,
        options=NO_TRIPLET | {'default_hooks.stage.stages': TWO_STAGES},
    ),
    toy=dict(config=TOY, joint=True, size=(4, 2), batch=(3, 2)),
    toy_sync_bn=dict(config=TOY, joint=True, sync_bn=True, size=(4, 2), batch=(3, 2)),
    # with dropout, and views that draw nothing: one process would draw for both halves in a row
    deen=dict(config='deen/deen_sysu', iterations=4, options={'model.data_preprocessor': None}),
    mscmnet=dict(
        config='mscmnet/mscmnet_sysu',
        iterations=4,
        options={'model.data_preprocessor': dict(_delete_=True, views=FOUR_VIEWS)},
    ),
    aligngan=dict(config='aligngan/aligngan_sysu', size=(64, 32)),
    # large, hence short; its discriminators learn from a second derivative
    hicmd=dict(
        config='hicmd/hicmd_sysu', size=(40, 40), iterations=2, options={'model.num_unpaired': 0}
    ),
)


def replace_batch_norm(module):
    """GroupNorm of one group for BatchNorm, in place."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, nn.GroupNorm(1, child.num_features))
        else:
            replace_batch_norm(child)


def synchronize(layer):
    """Let a BatchNorm layer compute what SyncBatchNorm does."""

    def forward(images):
        if not layer.training:
            return normalize(images)
        parts = all_gather(images)  # of the same size
        whole = normalize(torch.cat(parts))
        return whole.unflatten(0, (len(parts), -1))[torch.distributed.get_rank()]

    normalize, layer.forward = layer.forward, forward


def take_halves(model, first):
    """Let a model take a list of halves, of which the first is number ``first``."""
    preprocess, calls = model.data_preprocessor.forward, count()

    def preprocess_all(halves, training):
        ready = [preprocess(half, training) for half in halves]
        return {key: [half[key] for half in ready] for key in ('inputs', 'data_samples')}

    def mean_loss(loss, inputs, data_samples, shared=None):
        call, terms = next(calls), []
        for number, half in enumerate(zip(inputs, data_samples), start=first):
            torch.manual_seed(2 * call + number)
            own = () if shared is None else (shared.setdefault(number, Shared()),)
            terms.append(loss(*half, *own))
        return {key: torch.stack([half[key] for half in terms]).mean() for key in terms[0]}

    model.data_preprocessor.forward = preprocess_all
    for name in [f'loss_{update}' for update in getattr(model, 'updates', ())] or ['loss']:
        setattr(model, name, partial(mean_loss, getattr(model, name)))


def join(halves):
    data_samples = [sample for half in halves for sample in half['data_samples']]
    return dict(inputs=torch.cat([half['inputs'] for half in halves]), data_samples=data_samples)


def build(case, rank, world_size):
    """The model, and what is trained: the same in one process."""
    torch.manual_seed(0)
    model = MODELS.build(case.model)
    upload = model.data_preprocessor.upload
    model.data_preprocessor.upload = lambda images: upload(images).double()
    if not case.sync_bn:
        replace_batch_norm(model)
    if not case.joint:
        take_halves(model, first=rank)
    if world_size == 1:
        return model, model
    if case.sync_bn:
        for layer in filter(lambda module: isinstance(module, _BatchNorm), model.modules()):
            synchronize(layer)
    return model, MODEL_WRAPPERS.build(case.model_wrapper_cfg | dict(module=model))


def train(case, rank, world_size):
    """The weights before and after, and all that was logged."""
    model, wrapped = build(case, rank, world_size)
    start = copy.deepcopy(get_state_dict(wrapped))
    optimisers = build_optim_wrapper(wrapped, case.optim_wrapper)
    stages = case.stages and StageHook(case.stages, by_epoch=False)
    blocks = dict.fromkeys(model.blocks or (None,), case.batch)
    logs = []
    for i in range(case.iterations):
        if case.teacher:
            HOOKS.build(case.teacher).before_train_iter(SimpleNamespace(model=wrapped, epoch=i), i)
        if stages and stages.stage_at(i) is not model.stage:
            model.enter_stage(stages.stage_at(i))
        halves = [noise_batch(case.size, blocks, seed=2 * i + half) for half in (0, 1)]
        own = halves if world_size == 1 else [halves[rank]]
        data = join(own) if case.joint else own
        values = wrapped.train_step(data, optimisers)
        logs.append({key: value.detach() for key, value in values.items()})
        if case.joint and rank == 0:  # what a hook draws on the main process alone
            wrapped.eval()
            with torch.no_grad():
                wrapped.test_step(data)
            wrapped.train()
    return dict(start=start, weights=get_state_dict(wrapped), logs=logs)


def main(folder, rank, world_size):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double  # what guards against half precision
    torchvision.models.resnet18 = runpy.run_path(str(ROOT / 'tests/conftest.py'))['NarrowResNet']
    init_default_scope('mmvireid')
    if world_size > 1:
        torch.distributed.init_process_group(
            'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=world_size
        )
    for path in sorted(Path(folder).glob('*.py')):
        result = train(Config.fromfile(path), rank, world_size)
        torch.save(result, path.with_suffix(f'.{rank}_of_{world_size}'))
    if world_size > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def write_cases(folder, tiny_model):
    """A file for every case: what `train` needs of its config, made small."""
    for name, case in CASES.items():
        defaults = dict(joint=False, sync_bn=False, size=(32, 16), batch=(2, 1), iterations=10)
        case = defaults | case
        config, options = case.pop('config'), case.pop('options', {})
        toy = isinstance(config, dict)
        cfg = Config(config) if toy else Config.fromfile(ROOT / f'configs/{config}.py')
        tiny_model(cfg.model, narrow=True, num_ids=3, input_size=case['size'])
        cfg.merge_from_dict(options)
        hooks = cfg.get('default_hooks', {})
        stages = hooks.get('stage', dict(stages=[]))['stages']
        for index, stage in enumerate(stages[:-1]):
            stage['end'] = (index + 1) * case['iterations'] // len(stages)
        parts = {key: cfg[key] for key in ('model', 'optim_wrapper', 'model_wrapper_cfg')}
        Config(case | parts | dict(stages=stages, teacher=hooks.get('teacher'))).dump(
            folder / f'{name}.py'
        )


@pytest.fixture(scope='module')
def results(tiny_model, tmp_path_factory):
    """``results(case)`` of the two processes and of the one; all run once, at the same time."""
    folder = tmp_path_factory.mktemp('equivalence')
    write_cases(folder, tiny_model)
    environment = os.environ | dict(CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1')
    places = [(0, 2), (1, 2), (0, 1)]
    logs = [folder / f'{rank}_of_{world_size}.log' for rank, world_size in places]
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(folder), *map(str, place)],
            cwd=ROOT, env=environment, stdout=log.open('w'), stderr=subprocess.STDOUT,
        )
        for place, log in zip(places, logs)
    ]  # fmt: skip
    try:
        statuses = [process.wait(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert statuses == [0, 0, 0], [log.read_text()[-2000:] for log in logs]

    def load(case):
        files = [folder / f'{case}.{rank}_of_{world_size}' for rank, world_size in places]
        return [torch.load(file, weights_only=True) for file in files]

    return load


@pytest.mark.parametrize('case', CASES)
def test_two_processes_equal_one_on_the_joint_batch(case, results):
    ours, theirs, joint = results(case)
    for key, value in joint['weights'].items():
        assert torch.equal(ours['weights'][key], theirs['weights'][key]), key
        torch.testing.assert_close(ours['weights'][key], value, rtol=0, atol=1e-7, msg=key)
    moved = [key for key, value in joint['start'].items() if not value.equal(joint['weights'][key])]
    assert any(key.endswith('weight') for key in moved)
    for here, there, both in zip(*(result['logs'] for result in (ours, theirs, joint))):
        assert set(here) == set(both)
        assert here != there  # they have seen different halves
        for key, value in both.items():
            if key.endswith('grad_norm'):  # gradients are averaged before their norm is taken
                assert here[key] == there[key]
            if 'largest' not in key:  # a maximum is no mean
                mean = (here[key] + there[key]) / 2
                torch.testing.assert_close(mean, value, rtol=0, atol=1e-7, msg=key)


if __name__ == '__main__':
    main(sys.argv[1], *map(int, sys.argv[2:]))
