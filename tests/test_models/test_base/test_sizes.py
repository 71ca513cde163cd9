import pytest

from mmvireid.models.base import with_sizes


def test_sizes_are_added_and_the_config_is_left_alone():
    cfg = dict(type='Decoder', num_blocks=4)
    sized = with_sizes('Model.decoder', cfg, in_channels=8, num_blocks=4)
    assert sized == dict(type='Decoder', num_blocks=4, in_channels=8)
    assert cfg == dict(type='Decoder', num_blocks=4)


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=r"`Model.decoder` has {'num_blocks': 3}, expected"):
        with_sizes('Model.decoder', dict(num_blocks=3), in_channels=8, num_blocks=4)
