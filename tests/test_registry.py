import pytest
from mmengine import registry as mm

import mmvireid.registry as ours


def test_every_registry_of_mmengine_has_a_child():
    def registries(module):
        return {name for name, value in vars(module).items() if isinstance(value, mm.Registry)}

    assert registries(mm) <= registries(ours)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(KeyError, match=r"'TwoStreamResnet'.*Did you mean 'TwoStreamResNet'"):
        mm.MODELS.build(dict(type='TwoStreamResnet'))
    with pytest.raises(KeyError, match=r"Did you mean 'CheckpointHook'"):
        ours.HOOKS.get('CheckPointHook')
    assert 'Zebra' not in ours.MODELS
    assert 'mmengine.Zebra' not in ours.HOOKS


def test_names_of_mmengine_need_no_prefix():
    assert ours.HOOKS.get('IterTimerHook') is mm.HOOKS.get('IterTimerHook')
    assert 'IterTimerHook' in ours.HOOKS and 'mmengine.IterTimerHook' in ours.HOOKS
    assert 'mmengine.hooks.IterTimerHook' in ours.HOOKS


def test_a_name_of_another_kind_is_called_that():
    with pytest.raises(KeyError, match=r"'RandomFlip' .*model.* It is a transform,"):
        ours.MODELS.get('RandomFlip')
    with pytest.raises(KeyError, match=r"'GreyAugmentation' .*transform.* It is a model,"):
        ours.TRANSFORMS.get('GreyAugmentation')
