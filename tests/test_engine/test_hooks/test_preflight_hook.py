import logging
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from torch import nn
from torch.utils.data import BatchSampler

from mmvireid.datasets.transforms import RandomPadCrop
from mmvireid.engine.hooks import PreflightHook, TeacherHook
from mmvireid.evaluation.metrics import SYSUMetric
from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.models.heads import IdentityHead, ModalityHeads


def fake_loader(**metainfo):
    dataset = SimpleNamespace(metainfo=metainfo)
    return SimpleNamespace(dataset=dataset, batch_sampler=SimpleNamespace())


def fake_runner(num_ids, by_epoch=True, checkpoint=None, validation='train/heldout'):
    model = nn.Module()
    model.head = IdentityHead(4, num_ids=5)
    return SimpleNamespace(
        model=model,
        train_dataloader=fake_loader(num_ids=num_ids),
        val_loop=SimpleNamespace(dataloader=fake_loader(split=validation)),
        logger=logging.getLogger('preflight'),
        hooks=[],
        param_schedulers=None,
        cfg=Config(
            dict(
                train_cfg=dict(by_epoch=by_epoch),
                default_hooks=dict(checkpoint=checkpoint or dict(type='CheckpointHook')),
            )
        ),
    )


def test_a_wrong_number_of_identities_is_named():
    PreflightHook().before_train(fake_runner(5))
    with pytest.raises(ValueError, match=r'`model\.head\.num_ids` is 5, expected 7'):
        PreflightHook().before_train(fake_runner(7))


def test_people_who_are_trained_on_are_not_validated_on():
    runner = fake_runner(5)
    training, validation = (
        loader.dataset for loader in (runner.train_dataloader, runner.val_loop.dataloader)
    )
    training.metainfo |= dict(dataset='a', split='train', heldout_ids=[3, 4])
    validation.metainfo |= dict(dataset='a', heldout_ids=[3, 4])
    validation.must_agree, validation.heldout = ('dataset',), True
    validation.trained_elsewhere, validation.full_init = False, lambda: None
    validation.parts_of = lambda split: [split]
    PreflightHook().before_train(runner)
    validation.metainfo['heldout_ids'] = [3, 7]
    with pytest.raises(ValueError, match='`val_dataloader.dataset` has held-out people 7, who'):
        PreflightHook().before_train(runner)


def test_images_of_another_size_than_the_model_expects_are_named():
    runner = fake_runner(5)
    crop = SimpleNamespace(size=(64, 32))
    others = SimpleNamespace()  # most transforms have no size
    runner.train_dataloader.dataset.pipeline = SimpleNamespace(transforms=[others, crop])
    PreflightHook().before_train(runner)  # nor has every model
    runner.model.input_size = [64, 32]
    PreflightHook().before_train(runner)
    runner.model.input_size = (128, 64)
    with pytest.raises(
        ValueError, match=r'input_size` is \(128, 64\), expected \(64, 32\), the `s'
    ):
        PreflightHook().before_train(runner)


def test_teachers_whom_nobody_moves_are_named():
    runner = fake_runner(5)
    runner.model.heads = ModalityHeads(4, num_ids=5)
    with pytest.raises(
        ValueError, match=r'`model\.heads` has teachers, .* are \[\], expected heads'
    ):
        PreflightHook().before_train(runner)
    runner.hooks = [TeacherHook([dict(teacher='other', student='head')])]
    with pytest.raises(ValueError, match=r"are \['other'\], expected heads\.teachers among them"):
        PreflightHook().before_train(runner)
    runner.hooks += [TeacherHook([dict(teacher='heads.teachers', student='heads.students')])]
    PreflightHook().before_train(runner)


def test_blocks_that_the_model_wants_and_the_sampler_lacks_are_named():
    runner = fake_runner(5)
    runner.model.blocks = ('feature', 'pixel')
    message = (
        r"blocks \(\), expected \('feature', 'pixel'\), those of Module\. Set .* to "
        r'BlockBatchSampler\(blocks=dict\(feature=dict\(num_ids=\.\.\., num_instances=\.\.\.\), pix'
    )
    with pytest.raises(ValueError, match=message):
        PreflightHook().before_train(runner)
    runner.train_dataloader.batch_sampler.blocks = ('feature',)
    with pytest.raises(ValueError, match=r"blocks \('feature',\), expected \('feature', 'pixel'\)"):
        PreflightHook().before_train(runner)
    runner.train_dataloader.batch_sampler.blocks = ('pixel', 'feature')  # any order will do
    PreflightHook().before_train(runner)


def test_blocks_that_the_model_does_not_know_are_named():
    runner = fake_runner(5)
    runner.train_dataloader.batch_sampler.blocks = ('feature', 'pixel')
    message = r"blocks \('feature', 'pixel'\), expected \(\).* to CrossModalityBatchSampler"
    with pytest.raises(ValueError, match=message):
        PreflightHook().before_train(runner)


def test_batches_without_pairs_are_refused_before_training():
    runner = fake_runner(5)
    runner.train_dataloader.batch_sampler = any_images = BatchSampler(range(8), 4, drop_last=True)
    PreflightHook().before_train(runner)  # a model that compares no images takes any
    runner.model.needs_pairs = True
    with pytest.raises(
        ValueError, match=r'batch_sampler` is a BatchSampler of any images, expected at least two'
    ):
        PreflightHook().before_train(runner)
    one, two = SimpleNamespace(num_ids=1), SimpleNamespace(num_ids=2)
    for sampler, key in (
        (one, 'batch_sampler'),
        (
            SimpleNamespace(block_samplers=dict(feature=two, pixel=one)),
            'batch_sampler.blocks.pixel',
        ),
    ):
        runner.train_dataloader.batch_sampler = sampler
        with pytest.raises(ValueError, match=rf'{key}\.num_ids` is 1, expected at least two'):
            PreflightHook().before_train(runner)
    for sampler in (two, SimpleNamespace(), SimpleNamespace(block_samplers=dict(feature=two))):
        runner.train_dataloader.batch_sampler = (
            sampler  # one's own sampler: seen at the first batch
        )
        PreflightHook().before_train(runner)
    runner.model.needs_pairs = False
    runner.train_dataloader.batch_sampler = any_images
    PreflightHook().before_train(runner)


def test_checkpoints_must_count_as_the_loop_does():
    iters = dict(type='CheckpointHook', by_epoch=False)
    PreflightHook().before_train(fake_runner(5, by_epoch=False, checkpoint=iters))
    with pytest.raises(ValueError, match=r'checkpoint\.by_epoch` is False, expected True'):
        PreflightHook().before_train(fake_runner(5, checkpoint=iters))


def test_validation_on_the_test_split_is_said(caplog):
    PreflightHook().before_train(fake_runner(5))
    assert not caplog.records
    PreflightHook().before_train(fake_runner(5, validation='test'))
    assert 'has seen the test identities' in caplog.text


def test_what_is_watched_must_be_a_result_of_the_validation():
    """Otherwise a run that was to stop early would warn after each validation, and go on."""
    runner = fake_runner(5)
    metric = SYSUMetric(modes=['all'], shots=[1])
    runner.val_loop.evaluator = SimpleNamespace(metrics=[metric])
    hook = EarlyStoppingHook(monitor='sysu/all-1shot/mAP')
    plateau = SimpleNamespace(monitor='sysu/all-1shot/R1')
    runner.hooks, runner.param_schedulers = [PreflightHook(), hook], dict(reid=[plateau])
    PreflightHook().before_train(runner)
    hook.monitor = 'sysu/all-1shot/MAP'
    with pytest.raises(ValueError, match="`monitor` of EarlyStoppingHook is 'sysu/all-1shot/MAP'"):
        PreflightHook().before_train(runner)
    hook.monitor, plateau.monitor = plateau.monitor, 'loss'
    with pytest.raises(ValueError, match="`monitor` of SimpleNamespace is 'loss'"):
        PreflightHook().before_train(runner)
    runner.model.flip_test, plateau.monitor = True, 'sysu-flip/all-1shot/R1'
    PreflightHook().before_train(runner)


def test_images_are_not_cropped_twice():
    runner = fake_runner(5)
    runner.train_dataloader.dataset.pipeline = SimpleNamespace(transforms=[RandomPadCrop()])
    crop = dict(type='PadCropAugmentation')
    for views, refused in (({}, False), (dict(visible=dict(augmentations=[crop])), True)):
        runner.model.data_preprocessor = ReIDDataPreprocessor(views=views)
        if refused:
            with pytest.raises(ValueError, match='RandomPadCrop and .* a PadCropAugmentation'):
                PreflightHook().before_train(runner)
            runner.train_dataloader.dataset.pipeline.transforms.clear()
        PreflightHook().before_train(runner)
