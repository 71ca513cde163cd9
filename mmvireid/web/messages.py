"""What the package refuses, said on the page."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmvireid.errors import Refusal


@contextmanager
def messages(gradio: Any) -> Iterator[None]:
    """A block whose refusals become messages on the page; other errors stay what they are.

    Args:
        gradio: The module.
    """
    try:
        yield
    except Refusal as error:
        raise gradio.Error(html.escape(str(error)), print_exception=False) from error
