"""``--cfg-options``: what is written there, before any config is known."""

import argparse
import ast
from typing import Any

from mmengine.config import DictAction

from mmvireid.errors import InvalidValueError


def read_value(text: str) -> Any:
    """Read the value of an option.

    Numbers, ``True``, ``False``, ``None``, lists with or without brackets, ``dict(...)`` and plain
    text, which may be quoted: ``'1,2'`` is no list then, and ``'3'`` no number.

    Args:
        text: What stands behind the ``=``.

    Raises:
        ValueError: If brackets do not match.

    Example:
        >>> read_value('0.5'), read_value('a,b'), read_value("dict(type='X', n=[1, 2])")
        (0.5, ['a', 'b'], {'type': 'X', 'n': [1, 2]})
    """
    text = text.strip()
    if text[:1] in ('"', "'") and text[1:].find(text[0]) == len(text) - 2:
        return text[1:-1]
    if text.startswith(('[', '(', '{', 'dict(')):
        try:
            return _literal(ast.parse(text, mode='eval').body)
        except (SyntaxError, ValueError):
            pass  # text without quotes in it
    if ',' not in text and not text.startswith(('[', '(', '{')):
        return DictAction._parse_int_float_bool(text)
    try:
        return DictAction._parse_iterable(text)
    except (AssertionError, RecursionError) as error:
        raise InvalidValueError(
            f'read_value: `text` is {text!r}, expected a value whose brackets and quotes match.'
        ) from error


def _literal(node: ast.expr) -> Any:
    """The value of an expression that runs nothing."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    if is_call and node.func.id == 'dict' and not node.args:
        return {keyword.arg: _literal(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict):
        return {_literal(key): _literal(value) for key, value in zip(node.keys, node.values)}
    if isinstance(node, ast.List | ast.Tuple):
        items = [_literal(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    return ast.literal_eval(node)


class OptionsAction(argparse.Action):
    """Collect ``KEY=VALUE`` in a dict; the option may be given again."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        options = dict(getattr(namespace, self.dest) or {})
        for text in values:
            key, equals, value = text.partition('=')
            try:
                if not equals or not all(key.split('.')):
                    raise InvalidValueError('expected KEY=VALUE')
                options[key] = read_value(value)
            except InvalidValueError as error:
                raise argparse.ArgumentError(self, f'{text!r}: {error}') from error
        setattr(namespace, self.dest, options)


def add_options_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``, which means the same in every command."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='override config values, e.g. optim_wrapper.optimizer.lr=0.05 data_root=DIR',
    )
