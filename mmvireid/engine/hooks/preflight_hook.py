"""Checks that a training run can only fail on later, made before its first iteration."""

import numpy as np
from mmengine.hooks import Hook
from mmengine.model import MMSeparateDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from torch.utils.data import BatchSampler

from mmvireid.datasets import BaseReIDDataset, check_trained_on
from mmvireid.datasets.transforms import RandomPadCrop
from mmvireid.engine.hooks.stage_hook import StageHook
from mmvireid.engine.hooks.teacher_hook import TeacherHook
from mmvireid.engine.rehearsal import rehearse
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import BaseProtocol, FeatureSet
from mmvireid.evaluation.result_keys import check_result_key, result_keys
from mmvireid.models.augmentations import PadCropAugmentation
from mmvireid.models.base import AlternatingReID, BaseReID, unwrap
from mmvireid.models.heads import ModalityHeads
from mmvireid.registry import HOOKS


@HOOKS.register_module()
class PreflightHook(Hook):
    """Check that model, data and learning-rate schedule fit together before training.

    - Every ``num_ids`` in the model equals the number of training identities: a label out of
      range would otherwise stop a GPU with an unreadable message, and unused classes would pass.
    - The model's ``input_size``, where it has one, is the size of the training images.
    - A ``TeacherHook`` moves the teachers of ``ModalityHeads``.
    - Images are padded and cropped in the pipeline, or by the model's data preprocessor in their
      views, and not in both.
    - The batch sampler provides the blocks that the model names in its attribute ``blocks``; a
      model without it takes batches without blocks.
    - The batch sampler draws at least two identities at once, as the model's losses need; without
      one, batches are of any images.
    - Checkpoints count in the unit of MMEngine's loops, epochs or iterations: a run resumed from
      others would repeat or skip data (``ResumableTrainLoop`` takes both).
    - What an ``EarlyStoppingHook`` or a schedule on a plateau watches is a result of the
      validation.
    - Images to validate on contradict nothing of the training data, people first: those held out in
      one must be those held out in the other.
    - The settings of the validation's protocol exist on its images.
    - Validation on the test split is allowed, and said: a checkpoint chosen by it has seen the
      test identities.
    - Every update of an alternating method has its method, and several processes the wrapper that
      its optimisers need.
    - With the first batch, all stages are rehearsed (:func:`rehearse`): a mistake that only a
      later stage would meet, or a weight for a term that never comes, stops the first iteration.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Run the checks.

        Raises:
            ValueError: If one fails.
        """
        self._rehearsed = False
        model = unwrap(runner.model)
        if isinstance(model, BaseReID):
            model.check_declarations()
        self._check_wrapper(runner)
        self._check_num_ids(runner)
        self._check_input_size(runner)
        self._check_teachers(runner)
        self._check_crops(runner)
        self._check_blocks(runner)
        self._check_pairs(runner)
        self._check_units(runner)
        self._check_monitors(runner)
        if runner.val_loop is not None:
            dataset = runner.val_loop.dataloader.dataset
            metainfo = getattr(dataset, 'metainfo', {})
            trained_on = runner.train_dataloader.dataset.metainfo
            check_trained_on(dataset, trained_on, '`train_dataloader`', 'val_dataloader')
            self._check_settings(runner)
            if metainfo.get('split') == 'test':
                runner.logger.warning(
                    'Validation runs on the test split: a checkpoint chosen by it has seen the '
                    'test identities, and its figures say so.'
                )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Rehearse all stages with the first batch."""
        if not self._rehearsed and isinstance(unwrap(runner.model), BaseReID):
            stages = [hook.stages for hook in runner.hooks if isinstance(hook, StageHook)]
            rehearse(runner, data_batch, *stages)
        self._rehearsed = True

    @staticmethod
    def _check_settings(runner: Runner) -> None:
        """Have the settings of the validation made, of images without features."""
        dataset = runner.val_loop.dataloader.dataset
        if not isinstance(dataset, BaseReIDDataset):
            return
        metrics = runner.val_loop.evaluator.metrics
        protocols = [getattr(metric, 'protocol', None) for metric in metrics]
        rows = [dataset.get_data_info(index) for index in range(len(dataset))]
        feature_set = FeatureSet.from_rows(rows, np.zeros((len(rows), 1), np.float32))
        for protocol in protocols:
            if isinstance(protocol, BaseProtocol):
                protocol.settings(feature_set)

    @staticmethod
    def _check_wrapper(runner: Runner) -> None:
        if not is_model_wrapper(runner.model):
            return
        model = unwrap(runner.model)
        several = isinstance(model, AlternatingReID)
        if several != isinstance(runner.model, MMSeparateDistributedDataParallel):
            expected = f'mmvireid.ReID{"Separate" if several else ""}DistributedDataParallel'
            optimisers = 'several optimisers' if several else 'one optimiser'
            raise InvalidValueError(
                f'PreflightHook: `model_wrapper_cfg.type` is {type(runner.model).__name__}, '
                f'expected {expected!r}: {type(model).__name__} has {optimisers}.'
            )

    @staticmethod
    def _check_num_ids(runner: Runner) -> None:
        metainfo = getattr(runner.train_dataloader.dataset, 'metainfo', {})
        num_ids = metainfo.get('num_ids')
        for name, module in unwrap(runner.model).named_modules():
            expected = getattr(module, 'num_ids', None)
            if num_ids is not None and expected is not None and expected != num_ids:
                raise InvalidValueError(
                    f'PreflightHook: `model.{name}.num_ids` is {expected}, expected {num_ids}, '
                    'the number of training identities of `train_dataloader.dataset`: set it '
                    f'there, or --cfg-options num_ids={num_ids} for all parts.'
                )

    @staticmethod
    def _check_input_size(runner: Runner) -> None:
        expected = getattr(unwrap(runner.model), 'input_size', None)
        pipeline = getattr(runner.train_dataloader.dataset, 'pipeline', None)
        for transform in getattr(pipeline, 'transforms', ()):
            size = getattr(transform, 'size', None)
            if None not in (expected, size) and tuple(size) != tuple(expected):
                raise InvalidValueError(
                    f'PreflightHook: `model.input_size` is {tuple(expected)}, expected '
                    f'{tuple(size)}, the `size` of {type(transform).__name__} in the training '
                    'pipeline.'
                )

    @staticmethod
    def _check_teachers(runner: Runner) -> None:
        hooks = [hook for hook in runner.hooks if isinstance(hook, TeacherHook)]
        moved = {pair['teacher'] for hook in hooks for pair in hook.pairs}
        for name, module in unwrap(runner.model).named_modules():
            if isinstance(module, ModalityHeads) and f'{name}.teachers' not in moved:
                raise InvalidValueError(
                    f'PreflightHook: `model.{name}` has teachers, and the teachers that a '
                    f'TeacherHook moves are {sorted(moved)}, expected {name}.teachers among them: '
                    'they would stay as they began.'
                )

    @staticmethod
    def _check_crops(runner: Runner) -> None:
        preprocessor = getattr(unwrap(runner.model), 'data_preprocessor', None)
        pipeline = getattr(runner.train_dataloader.dataset, 'pipeline', None)
        views = getattr(preprocessor, 'views', None) or {}
        steps = [s for own in views.values() for view in own for s in view.steps['raw']]
        if any(isinstance(step, PadCropAugmentation) for step in steps) and any(
            isinstance(step, RandomPadCrop) for step in getattr(pipeline, 'transforms', ())
        ):
            raise InvalidValueError(
                'PreflightHook: `train_dataloader.dataset.pipeline` has a RandomPadCrop and '
                '`model.data_preprocessor` a PadCropAugmentation, expected one of them: images '
                'would be cropped twice. Views with a crop of their own take a pipeline without.'
            )

    @staticmethod
    def _check_blocks(runner: Runner) -> None:
        model = unwrap(runner.model)
        expected = tuple(getattr(model, 'blocks', ()))
        provided = tuple(getattr(runner.train_dataloader.batch_sampler, 'blocks', ()))
        if sorted(provided) == sorted(expected):
            return
        each = ', '.join(f'{name}=dict(num_ids=..., num_instances=...)' for name in expected)
        remedy = f'BlockBatchSampler(blocks=dict({each}))' if each else 'CrossModalityBatchSampler'
        raise InvalidValueError(
            f'PreflightHook: `train_dataloader.batch_sampler` provides the batch blocks '
            f'{provided}, expected {expected}, those of {type(model).__name__}. Set '
            f'`train_dataloader.batch_sampler` to {remedy}.'
        )

    @staticmethod
    def _check_pairs(runner: Runner) -> None:
        model, sampler = unwrap(runner.model), runner.train_dataloader.batch_sampler
        if not getattr(model, 'needs_pairs', False):
            return
        key = 'train_dataloader.batch_sampler'
        parts = {key: sampler}
        if hasattr(sampler, 'block_samplers'):
            parts = {f'{key}.blocks.{name}': part for name, part in sampler.block_samplers.items()}
        for key, part in parts.items():
            if type(part) is BatchSampler:  # torch's, which MMEngine takes where none is named
                found = f'`{key}` is a BatchSampler of any images'
            elif getattr(part, 'num_ids', 2) < 2:
                found = f'`{key}.num_ids` is {part.num_ids}'
            else:
                continue
            raise InvalidValueError(
                f'PreflightHook: {found}, expected at least two identities per batch, each in both '
                f'modalities (CrossModalityBatchSampler): {type(model).__name__} compares images '
                'of the same and of different identities.'
            )

    @staticmethod
    def _check_units(runner: Runner) -> None:
        train_cfg = runner.cfg.get('train_cfg', {})
        if 'type' in train_cfg:  # MMEngine's own loops have none
            return
        by_epoch = train_cfg.get('by_epoch', False)
        checkpoint = runner.cfg.get('default_hooks', {}).get('checkpoint')
        if checkpoint is not None and checkpoint.get('by_epoch', True) != by_epoch:
            raise InvalidValueError(
                f'PreflightHook: `default_hooks.checkpoint.by_epoch` is {not by_epoch}, expected '
                f'{by_epoch} as in `train_cfg`: a run resumed from such a checkpoint would repeat '
                'or skip data. Or train with `train_cfg.type="ResumableTrainLoop"`.'
            )

    @staticmethod
    def _check_monitors(runner: Runner) -> None:
        schedulers = runner.param_schedulers or []
        if isinstance(schedulers, dict):
            schedulers = [each for several in schedulers.values() for each in several]
        watching = [each for each in [*runner.hooks, *schedulers] if hasattr(each, 'monitor')]
        if runner.val_loop is None or not watching:
            return
        flip = getattr(unwrap(runner.model), 'flip_test', False)
        named = result_keys(runner.val_loop.evaluator.metrics, flip)
        for each in watching:
            check_result_key(each.monitor, named, f'`monitor` of {type(each).__name__}')
