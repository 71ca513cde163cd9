"""Protocols by their short names."""

from mmvireid.evaluation.protocols.base_protocol import BaseProtocol
from mmvireid.registry import PROTOCOLS


def find_protocol(name: str) -> type[BaseProtocol]:
    """A registered protocol.

    Args:
        name: Its short name, such as ``'sysu'``, or that of its class.

    Returns:
        The class.

    Raises:
        KeyError: If there is none; names the nearest.

    Example:
        >>> find_protocol('regdb').__name__
        'RegDBProtocol'
    """
    by_name = {protocol.name: protocol for protocol in PROTOCOLS.module_dict.values()}
    return by_name.get(name) or PROTOCOLS.get(name)
