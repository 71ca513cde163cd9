"""The log, which a full disk must not take the results with."""

import logging

from mmengine.hooks import LoggerHook as MMLoggerHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmvireid.registry import HOOKS


@HOOKS.register_module()
class LoggerHook(MMLoggerHook):
    """MMEngine's hook, which does not end an evaluation when its copy of the figures fails.

    Args:
        As in MMEngine's ``LoggerHook``.
    """

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Log the figures, and write them if that is possible."""
        try:
            super().after_test_epoch(runner, metrics)
        except OSError as error:
            print_log(
                f'The figures cannot be written to {runner.log_dir} ({error.strerror}).',
                'current',
                logging.WARNING,
            )
