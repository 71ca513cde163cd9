import gc

import pytest

from mmvireid.commands import heavy_imports


@pytest.fixture(params=[True, False])
def collecting(request):
    """Whether garbage is collected outside of the block."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


@pytest.mark.parametrize('error', [None, ImportError])
def test_garbage_is_collected_after_the_block_as_before(collecting, error):
    try:
        with heavy_imports():
            assert not gc.isenabled()
            if error:
                raise error
    except ImportError:
        assert error
    assert gc.isenabled() is collecting
