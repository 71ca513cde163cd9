from types import SimpleNamespace

import pytest

from mmvireid.errors import InvalidValueError
from mmvireid.web.messages import messages


class Shown(Exception):
    def __init__(self, text, print_exception):
        super().__init__(text)


GRADIO = SimpleNamespace(Error=Shown)


def test_refusals_are_shown_as_text_and_never_as_markup():
    with pytest.raises(Shown, match='&lt;img onerror=&quot;x&quot;&gt;'), messages(GRADIO):
        raise InvalidValueError('`after` is <img onerror="x">')


def test_bugs_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), messages(GRADIO):
        raise ZeroDivisionError
