from dataclasses import dataclass
from typing import ClassVar

import pytest

from mmvireid.evaluation import BaseProtocol, LLCMProtocol


@pytest.mark.parametrize('name', [None, '', 'a/b', 3])
def test_a_protocol_without_a_usable_name_is_refused(name):
    with pytest.raises(TypeError, match='Mine: `name` is .*, expected a short name'):
        type('Mine', (BaseProtocol,), {} if name is None else dict(name=name))


def test_own_protocols_suit_any_data_and_built_in_ones_only_theirs():
    @dataclass(frozen=True)
    class Mine(BaseProtocol):
        name: ClassVar[str] = 'mine'

    regdb = dict(dataset='regdb', protocol='regdb', split='test')
    for metainfo in (None, {}, dict(dataset='own'), regdb):
        Mine().check_data(metainfo)
    LLCMProtocol().check_data(dict(dataset='own'))
    with pytest.raises(
        ValueError, match="regdb, test, .* 'llcm'; evaluate them by protocol 'regdb'"
    ):
        LLCMProtocol().check_data(regdb)
