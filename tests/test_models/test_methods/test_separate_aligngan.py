import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvireid.engine.hooks import StageHook
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/aligngan'
SIZE = (64, 64)
#: Of every variant, what the updates of its last stage move.
MOVED = {
    'separate': dict(
        reid='feature_module',
        generators='visible_to_infrared infrared_to_visible',
        visible_discriminator='visible_discriminator',
        infrared_discriminator='infrared_discriminator',
        feature_discriminator='feature_discriminator',
    ),
    'featalign': dict(reid='feature_module', feature_discriminator='feature_discriminator'),
    'baseline': dict(reid='feature_module'),
}


@pytest.fixture
def build(tiny_model):
    """``build('separate')``: the variant in its joint stage, tiny, and its config."""

    def call(variant: str):
        cfg = Config.fromfile(CONFIGS / f'aligngan-{variant}_sysu.py')
        tiny_model(cfg.model, num_ids=3, input_size=SIZE, dropout=0.0)
        torch.manual_seed(0)
        model = MODELS.build(cfg.model).train()
        model.enter_stage(StageHook(cfg.default_hooks.stage.stages).stages[-1])
        return model, cfg

    return call


@pytest.fixture
def batch(training_batch):
    return training_batch(3, 2, size=SIZE, blocks=('feature', 'pixel'))


@pytest.mark.parametrize('variant', MOVED)
def test_every_update_moves_its_own_parts(variant, build, batch):
    model, cfg = build(variant)
    assert model.active_updates == tuple(MOVED[variant])
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    start = copy.deepcopy(model.state_dict())
    parts = set(' '.join(MOVED[variant].values()).split())
    logs = model.train_step(batch, wrapper)
    assert {key.split('/')[0] for key in logs} == set(MOVED[variant])
    end = model.state_dict()
    assert {key.split('.')[0] for key in end if not torch.equal(start[key], end[key])} == parts


def test_images_and_maps_are_judged_apart(build, batch):
    model, _ = build('separate')
    data, shared = model.data_preprocessor(batch), {}
    seen = {}

    def note(name):
        return lambda module, args: seen.setdefault(name, []).append(args[0])

    for name in ('infrared_discriminator', 'feature_discriminator'):
        getattr(model, name).register_forward_pre_hook(note(name))
    terms = model.loss_reid(**data, shared=shared)
    infrared = data['inputs']['feature']['infrared']
    fake_images = model.visible_to_infrared(data['inputs']['feature']['visible'])
    maps = [model.feature_module(images).feature_map for images in (infrared, fake_images)]
    torch.testing.assert_close(seen['feature_discriminator'][0], maps[1])
    logits = model.feature_discriminator(maps[1])
    torch.testing.assert_close(terms['feature_adversarial'], (logits - 1).square().mean())

    terms = model.loss_feature_discriminator(**data, shared=shared)
    judged = [model.feature_discriminator(value) for value in maps]
    torch.testing.assert_close(terms['feature_real'], (judged[0] - 1).square().mean())
    torch.testing.assert_close(terms['feature_fake'], judged[1].square().mean())

    terms = model.loss_generators(**data, shared=shared)
    visible, infrared = data['inputs']['pixel'].values()
    fake = model.visible_to_infrared(visible)
    torch.testing.assert_close(seen['infrared_discriminator'][0], fake)
    judged = [model.infrared_discriminator(value) for value in (infrared, fake)]
    torch.testing.assert_close(terms['infrared_adversarial'], (judged[1] - 1).square().mean())
    terms = model.loss_infrared_discriminator(**data, shared=shared)
    torch.testing.assert_close(terms['infrared_real'], (judged[0] - 1).square().mean())
    torch.testing.assert_close(terms['infrared_fake'], judged[1].square().mean())


@pytest.mark.parametrize('variant', ['featalign', 'baseline'])
def test_without_a_translator_visible_images_stay_as_they_are(variant, build, training_batch):
    model, _ = build(variant)
    assert model.blocks == ('feature',)
    inputs = model.eval().data_preprocessor(training_batch(2, 2, size=SIZE))['inputs']
    as_infrared = model(dict(infrared=inputs['visible']))
    torch.testing.assert_close(model(dict(visible=inputs['visible'])), as_infrared)


@pytest.mark.parametrize(
    ('variant', 'options'),
    [
        ('separate', dict(loss_weights=dict(feature_adversarial=0.0))),
        ('featalign', dict(feature_discriminator=None)),
        ('baseline', dict(loss_weights=dict(feature_adversarial=0.1))),
    ],
)
def test_a_weight_without_a_discriminator_is_named(variant, options, build):
    cfg = build(variant)[1]
    cfg.merge_from_dict(dict(model=options))
    with pytest.raises(ValueError, match='expected a positive weight just with one'):
        MODELS.build(cfg.model)


def test_both_kinds_of_discriminator_leave_one_without_an_owner(build):
    cfg = build('separate')[1]
    cfg.model.joint_discriminator = dict(
        type='JointDiscriminator', base_channels=8, feature_width=8
    )
    model = MODELS.build(cfg.model)
    with pytest.raises(ValueError, match='`joint_discriminator.* is moved by no optimiser'):
        build_optim_wrapper(model, cfg.optim_wrapper)
