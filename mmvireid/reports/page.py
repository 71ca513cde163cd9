"""The whole page, which needs neither a server nor a network."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mmvireid.errors import InvalidValueError, from_extra
from mmvireid.reports.comparison import comparison
from mmvireid.reports.failures import cameras, people
from mmvireid.reports.generated import generated
from mmvireid.reports.learning import learning
from mmvireid.reports.markup import Section, sentence, text
from mmvireid.reports.neighbours import neighbours
from mmvireid.reports.overview import overview
from mmvireid.reports.results import results
from mmvireid.reports.run import Run
from mmvireid.reports.separation import distances, embedding
from mmvireid.version import __version__

#: What a page may weigh, in bytes.
MAX_BYTES = 10_000_000
#: What it is made of, in this order.
SECTIONS: tuple[Callable[[Sequence[Run]], Section], ...] = (
    overview, learning, results, comparison, cameras, people, neighbours, distances, embedding,
    generated,
)  # fmt: skip


def plotly_script() -> str:
    """Plotly's script.

    Raises:
        RuntimeError: If plotly is missing.
    """
    with from_extra('report', 'plotly', 'report'):
        from plotly.offline import get_plotlyjs
    return get_plotlyjs()


def write_page(runs: Sequence[Run], script: str) -> str:
    """Make a page of runs.

    Args:
        runs: At least one.
        script: Plotly's, see :func:`plotly_script`.

    Returns:
        HTML of at most :data:`MAX_BYTES`; pictures that it has no room for are left out, which is
        said.

    Raises:
        ValueError: If it is larger without any picture.
    """
    sections = [make(runs) for make in SECTIONS]
    title = f'Report on {", ".join(run.name for run in runs)}'
    room = MAX_BYTES - len(_page(title, [s._replace(pictures=()) for s in sections], script))
    if room < 0:
        raise InvalidValueError(
            f'report: {len(runs)} runs make {(MAX_BYTES - room) / 1e6:.1f} MB without any picture, '
            f'expected at most {MAX_BYTES / 1e6:g} MB: choose fewer runs.'
        )
    return _page(title, _fit(sections, room), script).decode()


def _fit(sections: Sequence[Section], room: int) -> list[Section]:
    """Leave out the last pictures of what has most, until there is room for all."""
    sections = list(sections)
    kept = [list(section.pictures) for section in sections]
    sizes = [sum(len(block.encode()) for block in blocks) for blocks in kept]
    while any(kept) and sum(sizes) > room - 200 * len(sections):  # what the sentences need
        largest = sizes.index(max(sizes))
        sizes[largest] -= len(kept[largest].pop().encode())
    for number, (section, blocks) in enumerate(zip(sections, kept)):
        left_out = len(section.pictures) - len(blocks)
        if left_out:
            said = f'{left_out} pictures are left out: the page would be too large.'
            sections[number] = section._replace(
                body=section.body + sentence(said), pictures=tuple(blocks)
            )
    return sections


def _page(title: str, sections: Sequence[Section], script: str) -> bytes:
    folder = Path(__file__).parent
    style, behaviour = ((folder / name).read_text('utf-8') for name in ('page.css', 'page.js'))
    links = ''.join(f'<a href="#s{n}">{text(s.title)}</a>' for n, s in enumerate(sections))
    parts = ''.join(
        f'<section id="s{n}"><h2>{text(s.title)}</h2>{s.body}{"".join(s.pictures)}</section>'
        for n, s in enumerate(sections)
    )
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{style}</style></head><body>'
        f'<header><h1>{text(title)}</h1><nav>{links}</nav></header><main>{parts}</main>'
        f'<footer>Made by mmvireid {__version__}.</footer>'
        '<noscript><p class="note">The plots need JavaScript.</p></noscript>'
        f'<script>{script}</script><script>{behaviour}</script></body></html>\n'
    )
    return page.encode('utf-8', 'replace')
