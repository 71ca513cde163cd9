import pytest

from mmvireid.evaluation import LLCMProtocol, RegDBProtocol, SYSUProtocol, find_protocol


@pytest.mark.parametrize('protocol', [LLCMProtocol, RegDBProtocol, SYSUProtocol])
def test_protocols_are_found_by_their_short_name_and_that_of_their_class(protocol):
    assert find_protocol(protocol.name) is find_protocol(protocol.__name__) is protocol


def test_the_nearest_are_named():
    with pytest.raises(KeyError, match="'SYSUProtocl' is not registered.* Did you mean 'SYSUProto"):
        find_protocol('SYSUProtocl')
