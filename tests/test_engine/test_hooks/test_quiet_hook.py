import logging
from types import SimpleNamespace

from mmvireid.engine.hooks import QuietHook


def test_drops_two_lines_and_no_other(caplog):
    logger = logging.getLogger('quiet-test')
    QuietHook().before_run(SimpleNamespace(logger=logger))
    with caplog.at_level(logging.WARNING):
        logger.warning('"FileClient" will be deprecated in future.')
        logger.warning('"HardDiskBackend" is the alias of "LocalBackend"')
        logger.warning('the loss is not finite')
    assert [record.getMessage() for record in caplog.records] == ['the loss is not finite']
