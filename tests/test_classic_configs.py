"""Configs of classic systems against what is known of them: sizes, batches, rates by epoch."""

from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmvireid.engine.runner import forget_weights
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[1] / 'configs'
RESNET50 = 23_508_032  # torchvision's, without its classifier


@cache
def read(name):
    """A config and its model, without values."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py', format_python_code=False)
    forget_weights(cfg.model)
    with torch.device('meta'):
        return cfg, MODELS.build(cfg.model)


@cache
def rates_of(name):
    """Learning rate by epoch and parameter."""
    cfg, model = read(name)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    cfgs = cfg.param_scheduler
    schedulers = [
        PARAM_SCHEDULERS.build(scheduler, default_args=dict(optimizer=wrapper))
        for scheduler in (cfgs if isinstance(cfgs, list) else [cfgs])
    ]
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    table = []
    for _ in range(cfg.train_cfg.max_epochs):
        groups = wrapper.optimizer.param_groups
        table.append({names[id(p)]: group['lr'] for group in groups for p in group['params']})
        wrapper.step()  # there are no gradients: nothing moves
        for scheduler in schedulers:
            scheduler.step()
    return table


def two_networks(num_ids):
    """Linear 2048 to 512, BatchNorm, a classifier with a bias."""
    return 2 * RESNET50 + (2048 + 1) * 512 + 2 * 512 + (512 + 1) * num_ids


def one_network(num_ids):
    """BatchNorm, a classifier without a bias."""
    return RESNET50 + 2 * 2048 + 2048 * num_ids


@pytest.mark.parametrize(
    ('name', 'count'),
    [
        ('bdtr/bdtr_sysu', two_networks(395)),
        ('bdtr/bdtr_regdb', two_networks(206)),
        ('xiv/xiv_sysu', one_network(395) + 10),
        ('xiv/xiv_regdb', one_network(206) + 10),
        ('hat/hat_sysu', one_network(395)),
        ('hat/hat_regdb', one_network(206)),
    ],
)
def test_parameters(name, count):
    assert sum(parameter.numel() for parameter in read(name)[1].parameters()) == count


@pytest.mark.parametrize(
    ('name', 'size', 'num_ids', 'num_instances'),
    [
        ('bdtr/bdtr', (288, 144), 32, 1),
        ('xiv/xiv', (256, 128), 12, 4),
        ('hat/hat', (288, 144), 8, 4),
    ],
)
def test_images_and_batches(name, size, num_ids, num_instances):
    for data in ('sysu', 'regdb'):
        cfg, _ = read(f'{name}_{data}')
        sampler = cfg.train_dataloader.batch_sampler
        assert (sampler.num_ids, sampler.num_instances) == (num_ids, num_instances)
        for loader in (cfg.train_dataloader, cfg.test_dataloader):
            assert loader.dataset.pipeline[0]['size'] == size


@pytest.mark.parametrize(
    ('name', 'part', 'rates'),
    [
        # steps of ten; the backbones at a tenth
        ('bdtr/bdtr_sysu', 'head.', {0: 1e-2, 29: 1e-2, 30: 1e-3, 60: 1e-3}),
        ('bdtr/bdtr_sysu', 'neck.', {0: 1e-2, 29: 1e-2, 30: 1e-3, 60: 1e-3}),
        ('bdtr/bdtr_sysu', 'backbone.', {0: 1e-3, 29: 1e-3, 30: 1e-4, 60: 1e-4}),
        # from a hundredth in ten epochs
        ('xiv/xiv_sysu', '', {0: 3.5e-6, 5: 0.505 * 3.5e-4, 9: 0.901 * 3.5e-4, 10: 3.5e-4,
                              39: 3.5e-4, 40: 3.5e-5, 69: 3.5e-5, 70: 3.5e-6, 119: 3.5e-6}),
        # AGW's
        ('hat/hat_sysu', 'head.', {0: 1e-2, 9: 1e-1, 19: 1e-1, 20: 1e-2, 50: 1e-3, 80: 1e-3}),
        ('hat/hat_sysu', 'backbone.', {0: 1e-3, 9: 1e-2, 20: 1e-3, 50: 1e-4, 80: 1e-4}),
    ],
)  # fmt: skip
def test_rates(name, part, rates):
    table = rates_of(name)
    assert len(table) == max(rates) + 1
    for epoch, rate in rates.items():
        found = {lr for key, lr in table[epoch].items() if key.startswith(part)}
        assert found and all(lr == pytest.approx(rate) for lr in found), epoch


@pytest.mark.parametrize(
    ('name', 'kind', 'values'),
    [
        ('bdtr/bdtr_sysu', 'SGD', dict(momentum=0.9, nesterov=True, weight_decay=5e-4)),
        ('xiv/xiv_sysu', 'Adam', dict(weight_decay=5e-4, betas=(0.9, 0.999))),
        ('hat/hat_sysu', 'SGD', dict(momentum=0.9, nesterov=True, weight_decay=5e-4)),
    ],
)
def test_everything_that_moves_decays(name, kind, values):
    cfg, model = read(name)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    assert type(optimizer).__name__ == kind
    for group in optimizer.param_groups:
        assert {key: group[key] for key in values} == values


@pytest.mark.parametrize(
    ('name', 'intra_margin', 'expected'),
    [
        ('bdtr_sysu', 0.1, 1.058178457700),  # the second hinge is 0 on these unit vectors
        ('bdtr_sysu', 1.5, 1.058178457700 + 0.1 * 0.811645953436),
        ('bdtr-bctr_sysu', 1.5, 1.058178457700),
    ],
)
def test_rankings_of_bdtr_and_bctr(name, intra_margin, expected, golden_batch):
    """On one image of each identity and modality."""
    x, labels = golden_batch(1)
    cfg = dict(read(f'bdtr/{name}')[0].model.center_loss, intra_margin=intra_margin)
    assert MODELS.build(cfg)(x[::4], labels[::4], 8).item() == pytest.approx(expected, abs=1e-9)


def test_bdtr_classifies_and_ranks_one_vector():
    """512 numbers behind the BatchNorm: as they are for the ranking and the test."""
    cfg, _ = read('bdtr/bdtr_sysu')
    cfg = cfg.model.copy()
    cfg.backbone = dict(cfg.backbone, depth=18, num_stages=2, split='layer2')
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    images = torch.randn(2, 3, 32, 16)
    inputs = dict(visible=images, infrared=images.flip(0))
    maps = [model.backbone.stems[key](inputs[key]) for key in inputs]
    part, head = model.neck.parts[0], model.head.heads[0]
    feature = part.bn(part.reduction(torch.cat(maps).mean((2, 3))))
    assert feature.shape == (4, 512)
    torch.testing.assert_close(model.extract(inputs), feature)
    bent = torch.where(feature > 0, feature, 0.1 * feature)
    logits = bent @ head.classifier.weight.T + head.classifier.bias
    torch.testing.assert_close(model.head([feature])[0], logits)
    assert part.bn.bias.requires_grad
