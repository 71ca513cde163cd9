"""The pieces that a page is made of: everything from data is escaped here."""

import html
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from mmvireid.errors import Refusal

#: Colours that differ for colour-blind eyes, too (Okabe and Ito), one for each run.
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#333333')
#: In the place of what there is not.
NOTHING = '\N{EN DASH}'
#: Digits of a plotted value.
_DIGITS = 5


class Section(NamedTuple):
    """A part of a report.

    Args:
        title: Its heading.
        body: HTML.
        pictures: Blocks of HTML with pictures, the most important ones first; the last ones are
            left out where a page would be too large.
    """

    title: str
    body: str
    pictures: tuple[str, ...] = ()


class Named(Protocol):
    """What has a name."""

    name: str


def text(value: object) -> str:
    """Any value as text of a page.

    Example:
        >>> text('<b>'), text(True), text(['a', 'b'])
        ('&lt;b&gt;', 'yes', 'a, b')
    """
    if value is None or value == '':
        return NOTHING
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, list | tuple) and not any(isinstance(v, list | dict) for v in value):
        return html.escape(', '.join(map(str, value))) or NOTHING
    return html.escape(str(value))


def sentence(message: object, kind: str = 'missing') -> str:
    """A sentence in the place of what is not there."""
    return f'<p class="{kind}">{text(message)}</p>'


def table(head: Sequence[object], rows: Iterable[Sequence[object]], kind: str = '') -> str:
    """A table; its first column names the rows.

    Args:
        head: Cells of the head.
        rows: Cells of the rows.
        kind: Class of the table in the style sheet.
    """
    titles = ''.join(f'<th>{text(cell) if cell else ""}</th>' for cell in head)
    lines = []
    for first, *others in rows:
        cells = ''.join(f'<td>{text(cell)}</td>' for cell in others)
        lines.append(f'<tr><th scope="row">{text(first)}</th>{cells}</tr>')
    return framed(titles, ''.join(lines), kind)


def framed(titles: str, lines: str, kind: str) -> str:
    """A table of cells that are HTML already, which scrolls where it is too wide.

    Args:
        titles: Cells of the head.
        lines: The rows.
        kind: As in :func:`table`.
    """
    head = f'<thead><tr>{titles}</tr></thead>'
    return f'<div class="wide"><table class="{kind}">{head}<tbody>{lines}</tbody></table></div>'


def details(summary: str, body: str) -> str:
    """HTML that is folded away on a screen."""
    return f'<details><summary>{text(summary)}</summary>{body}</details>'


def label(value: object) -> str:
    """Text for a plot, which knows a few tags and entities of its own.

    Example:
        >>> label('a<b> & "c"')
        'a&lt;b&gt; &amp; "c"'
    """
    return html.escape(str(value), quote=False)


def plot(title: str, data: Sequence[Mapping], kind: str = '', **layout: Any) -> str:
    """A plot, drawn by plotly when the page is opened.

    Args:
        title: Above it.
        data: Plotly's traces. Their texts are to be made by :func:`label`.
        kind: Class of the figure in the style sheet, such as ``'square'``.
        **layout: Plotly's layout, where it differs from that of the page.
    """
    spec = json.dumps(_plain(dict(data=list(data), layout=layout)), separators=(',', ':'))
    spec = spec.replace('<', '\\u003c')  # or a name could end the script
    return (
        f'<figure class="plot {kind}"><figcaption>{text(title)}</figcaption><div class="chart">'
        f'</div><script type="application/json">{spec}</script></figure>'
    )


def grid(figures: Iterable[str]) -> str:
    """Figures beside each other, as many as there is room for."""
    return f'<div class="grid">{"".join(figures)}</div>'


def legend(names: Sequence[str]) -> str:
    """Whose colour is whose; nothing for one."""
    if len(names) < 2:
        return ''
    items = (
        f'<span><i style="background:{color_of(number)}"></i>{text(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<p class="legend">{"".join(items)}</p>'


def color_of(number: int) -> str:
    """The colour of a run."""
    return COLORS[number % len(COLORS)]


def each_run(runs: Sequence[Named], draw: Callable[[Any], str]) -> str:
    """What is drawn of every run by itself, or the sentence why it is not.

    Args:
        runs: All runs of a report.
        draw: From a run to HTML; what it refuses is said.
    """
    blocks = []
    for run in runs:
        try:
            body = draw(run)
        except Refusal as error:
            body = sentence(error)
        head = f'<h3>{text(run.name)}</h3>' if len(runs) > 1 else ''
        blocks.append(f'<div class="run">{head}{body}</div>')
    return f'<div class="runs">{"".join(blocks)}</div>'


def _plain(value: Any) -> Any:
    """Numbers, lists and dicts that every browser reads: no NaN, no more digits than are seen."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, str | bool) or value is None:
        return value
    if hasattr(value, 'tolist'):
        return _plain(value.tolist())
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    if isinstance(value, int):
        return value
    return float(f'{value:.{_DIGITS}g}') if math.isfinite(value) else None
