"""Silence for two lines of MMEngine that tell a user nothing."""

import logging

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS

#: MMEngine's checkpoint hook causes these itself, in every run.
_NOISE = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_NOISE)


@HOOKS.register_module()
class QuietHook(Hook):
    """Drop exactly the two warnings that MMEngine's ``CheckpointHook`` provokes at each start."""

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Install the filter."""
        runner.logger.addFilter(_is_news)
