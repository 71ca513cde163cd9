"""Sizes of a part of a model that follow from its other parts."""

from mmvireid.errors import InvalidValueError


def with_sizes(owner: str, cfg: dict, **sizes: int) -> dict:
    """A part's config with the sizes that follow from other parts.

    Args:
        owner: What the config is called, for the message, such as ``'HiCMD.decoder'``.
        cfg: The part's config; it need not name these sizes, but it must not name others.
        **sizes: What follows, by key.

    Raises:
        ValueError: If the config names another size.

    Example:
        >>> with_sizes('Model.head', dict(type='IdentityHead', num_ids=5), in_channels=16)
        {'type': 'IdentityHead', 'num_ids': 5, 'in_channels': 16}
    """
    asked = {key: cfg[key] for key in sizes if key in cfg}
    if asked != {key: sizes[key] for key in asked}:
        raise InvalidValueError(
            f'with_sizes: `{owner}` has {asked}, expected {sizes}, as follows from the other '
            'parts: leave it out, or change them.'
        )
    return dict(cfg, **sizes)
