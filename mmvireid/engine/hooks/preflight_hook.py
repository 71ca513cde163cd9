"""Checks that a training run can only fail on later, made before its first iteration."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.datasets import check_trained_on
from mmvireid.errors import InvalidValueError
from mmvireid.registry import HOOKS
from mmvireid.utils import unwrap


@HOOKS.register_module()
class PreflightHook(Hook):
    """Check that model, data and learning-rate schedule fit together before training.

    - Every ``num_ids`` in the model equals the number of training identities: a label out of
      range would otherwise stop a GPU with an unreadable message, and unused classes would pass.
    - The model's ``input_size``, where it has one, is the size of the training images.
    - The batch sampler provides the blocks that the model names in its attribute ``blocks``; a
      model without it takes batches without blocks.
    - Checkpoints count in the unit of MMEngine's loops, epochs or iterations: a run resumed from
      others would repeat or skip data (``ResumableTrainLoop`` takes both).
    - Images to validate on contradict nothing of the training data, people first: those held out in
      one must be those held out in the other.
    - Validation on the test split is allowed, and said: a checkpoint chosen by it has seen the
      test identities.
    """

    def before_train(self, runner: Runner) -> None:
        """Run the checks.

        Raises:
            ValueError: If one fails.
        """
        self._check_num_ids(runner)
        self._check_input_size(runner)
        self._check_blocks(runner)
        self._check_units(runner)
        if runner.val_loop is not None:
            dataset = runner.val_loop.dataloader.dataset
            metainfo = getattr(dataset, 'metainfo', {})
            trained_on = runner.train_dataloader.dataset.metainfo
            check_trained_on(dataset, trained_on, '`train_dataloader`', 'val_dataloader')
            if metainfo.get('split') == 'test':
                runner.logger.warning(
                    'Validation runs on the test split: a checkpoint chosen by it has seen the '
                    'test identities, and its figures say so.'
                )

    @staticmethod
    def _check_num_ids(runner: Runner) -> None:
        num_ids = runner.train_dataloader.dataset.metainfo.get('num_ids')
        for name, module in unwrap(runner.model).named_modules():
            expected = getattr(module, 'num_ids', None)
            if num_ids is not None and expected is not None and expected != num_ids:
                raise InvalidValueError(
                    f'PreflightHook: `model.{name}.num_ids` is {expected}, expected {num_ids}, '
                    'the number of training identities of `train_dataloader.dataset`.'
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
    def _check_units(runner: Runner) -> None:
        train_cfg = runner.cfg.get('train_cfg', {})
        if 'type' in train_cfg:  # MMEngine's own loops have none
            return
        by_epoch = train_cfg.get('by_epoch', False)
        checkpoint = runner.cfg.get('default_hooks', {}).get('checkpoint') or {}
        if checkpoint.get('by_epoch', True) != by_epoch:
            raise InvalidValueError(
                f'PreflightHook: `default_hooks.checkpoint.by_epoch` is {not by_epoch}, expected '
                f'{by_epoch} as in `train_cfg`: a run resumed from such a checkpoint would repeat '
                'or skip data. Or train with `train_cfg.type="ResumableTrainLoop"`.'
            )
