from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from mmvireid.engine.hooks import IterationSeedHook
from mmvireid.models.augmentations import BaseAugmentation
from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.models.data_preprocessors.view import build_views
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]
FLIP = dict(type='FlipAugmentation', prob=1.0)
ERASE = dict(type='ErasingAugmentation', prob=1.0, fill=(0.5, 0.5, 0.5))
COPY = dict(type='ChannelCopyAugmentation', channels=(1,))
GREY = dict(type='GreyAugmentation', prob=1.0)


def names(views):
    return {modality: [view.name for view in own] for modality, own in views.items()}


def test_what_has_no_view_is_seen_as_it_is():
    assert names(build_views({})) == dict(visible=['visible'], infrared=['infrared'])
    views = dict(other=dict(modality='visible'), grey=dict(modality='visible'))
    found = build_views(views, [FLIP])
    assert names(found) == dict(visible=['grey', 'other'], infrared=['infrared'])
    named = build_views(views | dict(visible={}))
    assert names(named)['visible'] == ['visible', 'grey', 'other']  # whatever their order
    assert all(len(view.steps['raw']) == 1 for own in found.values() for view in own)


@pytest.mark.parametrize(
    ('views', 'message'),
    [
        (dict(grey=dict()), "`views.grey.modality` is 'grey', expected one of"),
        (dict(visible=dict(modality='infrared')), "expected 'visible', or another name"),
        (dict(visible=dict(transforms=[])), r"`views.visible` has \['transforms'\], expected some"),
        (
            dict(visible=dict(augmentations=[dict(ERASE, space='normalized'), GREY])),
            "augmentations.1` is a GreyAugmentation of 'raw' values behind one of 'normalized'",
        ),
        (
            dict(visible=dict(augmentations=[dict(type='AveragePooling')])),
            'augmentations.0` is a AveragePooling, expected a BaseAugmentation',
        ),
    ],
)
def test_what_is_no_view_is_refused(views, message):
    with pytest.raises((ValueError, KeyError), match=message):
        build_views(views)


@pytest.fixture
def batch(training_batch):
    return training_batch(3, 2, size=(16, 8))


def test_views_are_further_images_of_their_modality(batch):
    preprocessor = ReIDDataPreprocessor(
        views=dict(
            visible={},
            exchanged=dict(modality='visible', augmentations=[GREY, COPY]),
            infrared=dict(augmentations=[FLIP]),
        )
    )
    plain = ReIDDataPreprocessor()(batch)
    seen = preprocessor(batch, training=True)
    assert {key: len(images) for key, images in seen['inputs'].items()} == dict(
        visible=12, infrared=6
    )
    visible, exchanged = seen['inputs']['visible'].chunk(2)
    torch.testing.assert_close(visible, plain['inputs']['visible'])
    raw = batch['inputs'][:6].flip(1).double()
    grey = (raw * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    expected = ((grey - 116.28) / 57.12).float().expand(-1, 3, -1, -1)  # green's normalisation
    torch.testing.assert_close(exchanged, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(seen['inputs']['infrared'], plain['inputs']['infrared'].flip(3))
    samples = seen['data_samples']
    labels = [0, 0, 1, 1, 2, 2]
    assert [sample.gt_label for sample in samples] == labels * 3
    assert [sample.view for sample in samples] == sorted(
        ['visible', 'exchanged', 'infrared'] * 6, key=['visible', 'exchanged', 'infrared'].index
    )
    assert [sample.modality for sample in samples] == ['visible'] * 12 + ['infrared'] * 6


def test_only_training_has_views(batch):
    preprocessor = ReIDDataPreprocessor(views=dict(other=dict(modality='visible')), common=[FLIP])
    for ours, theirs in zip(preprocessor(batch).values(), ReIDDataPreprocessor()(batch).values()):
        if isinstance(ours, dict):
            assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
        else:
            assert ours == theirs


def test_the_batch_is_left_alone_and_the_common_part_is_drawn_anew(batch):
    crop = dict(type='PadCropAugmentation', padding=4)
    preprocessor = ReIDDataPreprocessor(views=dict(visible={}, other=dict(modality='visible')),
                                        common=[crop])  # fmt: skip
    torch.manual_seed(0)
    before = batch['inputs'].clone()
    seen = preprocessor(batch, training=True)
    assert torch.equal(batch['inputs'], before)
    assert not any('view' in sample or 'picture_box' in sample for sample in batch['data_samples'])
    first, second = seen['inputs']['visible'].chunk(2)
    assert not torch.equal(first, second)
    boxes = [sample.picture_box for sample in seen['data_samples']]
    assert boxes[:6] != boxes[6:12]


def test_views_of_blocks(training_batch):
    batch = training_batch(2, 1, blocks=('large', 'small'))
    preprocessor = ReIDDataPreprocessor(views=dict(visible={}, other=dict(modality='visible')))
    seen = preprocessor(batch, training=True)
    for block in ('large', 'small'):
        assert {key: len(x) for key, x in seen['inputs'][block].items()} == dict(
            visible=4, infrared=2
        )
        views = [sample.view for sample in seen['data_samples'][block]]
        assert views == ['visible'] * 2 + ['other'] * 2 + ['infrared'] * 2


def test_an_augmentation_of_ones_own_needs_no_edit(batch):
    @MODELS.register_module(name='HalfAugmentation', force=True)
    class Half(BaseAugmentation):
        spaces = ('raw',)

        def change(self, images, samples):
            return images / 2

    preprocessor = ReIDDataPreprocessor(mean=(0,) * 3, std=(1,) * 3,
                                        common=[dict(type='HalfAugmentation')])  # fmt: skip
    seen = preprocessor(batch, training=True)['inputs']
    MODELS.module_dict.pop('HalfAugmentation')
    raw = batch['inputs'].flip(1).float()
    torch.testing.assert_close(torch.cat(list(seen.values())), raw / 2)


def test_images_are_changed_in_float32_also_inside_autocast(batch):
    """A convolution would be in bf16 there, whose 8 bits an image with noise has more than."""
    blur = dict(type='BlurAugmentation', kernel_size=5, prob=0.5)
    preprocessor = ReIDDataPreprocessor(common=[blur])
    seen = []
    for half in (False, True):
        torch.manual_seed(0)
        with torch.autocast('cpu', torch.bfloat16, enabled=half):
            seen.append(preprocessor(batch, training=True)['inputs'])
    for key, images in seen[0].items():
        assert seen[1][key].dtype == torch.float32
        assert torch.equal(images, seen[1][key])


def test_an_iteration_draws_the_same_whatever_was_before_it(batch):
    """So that a resumed run sees what an uninterrupted one would have seen."""
    config = Config.fromfile(ROOT / 'configs/caj/caj-plus_synthetic.py').model.data_preprocessor
    rle = Config.fromfile(ROOT / 'configs/rle/rle_synthetic.py').model.data_preprocessor
    for arguments in (config, rle):
        preprocessor, seen = ReIDDataPreprocessor(**arguments), []
        for iterations in ((0, 1, 2), (2,)):
            for iteration in iterations:
                runner = SimpleNamespace(seed=5, iter=iteration)
                IterationSeedHook().before_train_iter(runner, iteration)
                images = preprocessor(batch, training=True)['inputs']
            seen.append(torch.cat(list(images.values())))
        assert torch.equal(*seen)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(views=['visible']), r"`views` is \['visible'\], expected a dict by name"),
        (dict(views=dict(visible=[dict(type='FlipAugmentation')])), '`views` is .* of dicts'),
        (dict(common=dict(type='FlipAugmentation')), "`common.0` is 'type', expected the config"),
        (dict(common=[dict(prob=0.5)]), "`common.0` is {'prob': 0.5}, expected the config"),
    ],
)
def test_what_is_no_list_of_augmentations_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        ReIDDataPreprocessor(**arguments)
