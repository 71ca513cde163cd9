from types import SimpleNamespace

import mmengine.hooks.logger_hook
import pytest

from mmvireid.engine.hooks import LoggerHook
from mmvireid.registry import HOOKS


def test_figures_that_cannot_be_written_end_no_evaluation(tmp_path, monkeypatch):
    """MMEngine writes a copy of them after a test."""

    def fail(error):
        def dump(*args, **kwargs):
            raise error

        return dump

    hook = HOOKS.build(dict(type='LoggerHook'))
    assert type(hook) is LoggerHook
    hook.json_log_path = 'x.json'
    said = []
    runner = SimpleNamespace(
        log_processor=SimpleNamespace(
            get_log_after_epoch=lambda *args, **kwargs: (dict(mAP=1.0), 'mAP: 1.0')
        ),
        test_dataloader=[0],
        logger=SimpleNamespace(info=said.append),
        log_dir=str(tmp_path),
        _log_dir=str(tmp_path),
        timestamp='now',
    )
    monkeypatch.setattr(mmengine.hooks.logger_hook, 'dump', fail(OSError(28, 'No space left')))
    hook.after_test_epoch(runner, dict(mAP=1.0))
    assert said == ['mAP: 1.0']
    monkeypatch.setattr(mmengine.hooks.logger_hook, 'dump', fail(ValueError('a bug')))
    with pytest.raises(ValueError, match='a bug'):
        hook.after_test_epoch(runner, dict(mAP=1.0))
