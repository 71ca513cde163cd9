import pytest

from mmvireid.models.plugins import BasePlugin, MapSize


def test_a_plugin_needs_nothing_unless_it_says_so():
    assert BasePlugin.needs == ()
    with pytest.raises(TypeError, match="abstract method (forward|'forward')$"):
        BasePlugin()


def test_a_size_is_spelt_out():
    assert MapSize(channels=64, scale=2) == (64, 2)
