"""The tab that searches: a picture, the ranked gallery, and what is right and wrong in it."""

import base64
import csv
import html
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import PurePosixPath
from typing import Any

from mmvireid.apis import ReIDInferencer
from mmvireid.apis.galleries import query_features, read_picture, read_time, write_time
from mmvireid.errors import InvalidValueError
from mmvireid.pictures import picture_url
from mmvireid.search import Gallery, Match
from mmvireid.search.records import UNKNOWN
from mmvireid.structures import INFRARED, MODALITIES
from mmvireid.web.messages import messages
from mmvireid.web.pictures import MAX_BYTES, read_upload

MAX_MATCHES = 100
MARKS = ('', 'right', 'wrong')
_COLUMNS = ('query', 'query_modality', 'rank', 'picture', 'similarity', 'camera_id', 'modality',
            'time', 'mark')  # fmt: skip

_DROP = """
<label class="drop" tabindex="-1"><input type="file" accept="image/*" aria-label="Picture">
{{#if value.data}}<img alt="the query" src="{{value.data}}">
{{else}}<span>Drop a picture here,<br>or click to choose one</span>{{/if}}</label>
"""
_TAKE = """
const take = file => {
  if (!file) return;
  if (file.size > LIMIT) { alert('The picture is larger than LIMIT_MB MB.'); return; }
  const reader = new FileReader();
  reader.onload = () => { props.value = {name: file.name, data: reader.result}; trigger('input'); };
  reader.readAsDataURL(file);
};
element.addEventListener('change', event => take(event.target.files[0]));
element.addEventListener('dragover', event => event.preventDefault());
element.addEventListener('drop', event => {
  event.preventDefault(); take(event.dataTransfer.files[0]);
});
""".replace('LIMIT_MB', str(MAX_BYTES // 2**20)).replace('LIMIT', str(MAX_BYTES))

_TILES = """
<div class="tiles">{{#each tiles}}
<figure class="tile" data-index="{{@index}}" data-mark="{{lookup ../value @index}}">
<img alt="match {{rank}}" src="{{url}}">
<figcaption><b>{{similarity}}</b><br>{{where}}<br>{{when}}
<span class="name" title="{{name}}">{{short}}</span></figcaption>
<div class="marks"><button type="button" class="mark-right" aria-label="match {{rank}} is right">
✓ right</button><button type="button" class="mark-wrong" aria-label="match {{rank}} is wrong">
✗ wrong</button></div></figure>{{/each}}</div>
"""
_MARK = """
element.addEventListener('click', event => {
  const button = event.target.closest('.marks button');
  if (!button) return;
  const index = +button.closest('.tile').dataset.index;
  const mark = button.classList.contains('mark-right') ? 'right' : 'wrong';
  const marks = [...props.value];
  marks[index] = marks[index] === mark ? '' : mark;
  props.value = marks;
  trigger('input');
});
"""


@dataclass(frozen=True)
class Found:
    """What a search has found, kept by the server until the next one.

    Args:
        query: Name of the query.
        modality: Its modality.
        matches: Best first.
    """

    query: str
    modality: str
    matches: Sequence[Match]

    def to_csv(self, marks: object) -> str:
        """The matches that are marked, as a table.

        Args:
            marks: ``''``, ``'right'`` or ``'wrong'`` for each match.

        Raises:
            ValueError: If they are something else.
        """
        if not isinstance(marks, list) or len(marks) != len(self.matches):
            raise InvalidValueError('The marks are of another search. Search again.')
        if any(mark not in MARKS for mark in marks):
            raise InvalidValueError(f'The marks are {marks!r}, expected some of {MARKS}.')
        text = StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(_COLUMNS)
        for rank, (match, mark) in enumerate(zip(self.matches, marks), 1):
            if mark:
                writer.writerow([
                    _plain(self.query), self.modality, rank, _plain(match.name),
                    f'{match.similarity:.6f}', match.camera_id, match.modality,
                    write_time(match.time), mark,
                ])  # fmt: skip
        return text.getvalue()


class Searcher:
    """A gallery and the model of its features.

    Args:
        gallery: Open; searched by one thread at a time.
        inferencer: The model that the gallery is of.

    Raises:
        ValueError: If it is of another one.
    """

    def __init__(self, gallery: Gallery, inferencer: ReIDInferencer) -> None:
        if gallery.checksum != inferencer.source['checksum']:
            raise InvalidValueError(
                f'Searcher: `gallery` is of {gallery.model} ({gallery.checksum[:12]}), expected '
                f'one of the same model, {inferencer.source["checksum"][:12]}.'
            )
        self.gallery, self.inferencer = gallery, inferencer
        self.info = gallery.info()

    @property
    def cameras(self) -> list[int]:
        """Numbers of all cameras of the gallery."""
        return sorted({camera for counts in self.info['cameras'].values() for camera in counts})

    def search(
        self,
        upload: object,
        modality: str,
        k: int,
        min_similarity: float,
        cameras: Sequence[int],
        modalities: Sequence[str],
        after: str,
        before: str,
    ) -> Found:
        """Search with a picture that somebody has sent.

        Args:
            upload: As :func:`~mmvireid.web.pictures.read_upload` takes it.
            modality: Of the picture.
            k: At most how many matches.
            min_similarity: Of every match.
            cameras: Only these; none for all.
            modalities: Likewise.
            after: Only what was taken then or later; empty for any time.
            before: Only what was taken before; likewise.

        Raises:
            ValueError: If one of them is wrong.
        """
        name, picture = read_upload(upload)
        if isinstance(k, bool) or not isinstance(k, int | float) or not 1 <= k <= MAX_MATCHES:
            raise InvalidValueError(f'Matches are {k!r}, expected 1 to {MAX_MATCHES}.')
        features = query_features(self.inferencer, picture, modality).features
        matches = self.gallery.search(
            features, int(k), float(min_similarity), list(cameras or ()) or None,
            list(modalities or ()) or None, *(read_time(t.strip()) if t and t.strip() else None
                                              for t in (after, before)),
        )  # fmt: skip
        return Found(name, modality, matches[0])


def tiles(found: Found) -> list[dict[str, str]]:
    """What the page shows of every match."""
    return [
        dict(
            rank=str(rank),
            url=picture_url(read_picture(match)),
            similarity=f'{match.similarity:.3f}',
            where=f'camera {match.camera_id if match.camera_id != UNKNOWN else "?"}, '
            f'{match.modality}',
            when=write_time(match.time) or 'time unknown',
            name=match.name,
            short='/'.join(PurePosixPath(match.name).parts[-3:]),
        )
        for rank, match in enumerate(found.matches, 1)
    ]


def search_tab(gradio: Any, searcher: Searcher) -> None:
    """Put the tab's parts onto the page.

    Args:
        gradio: The module.
        searcher: What is searched.
    """
    info = searcher.info
    found = gradio.State(None, time_to_live=3600)
    with gradio.Row():
        with gradio.Column(scale=1, min_width=280):
            query = gradio.HTML(
                html_template=_DROP, js_on_load=_TAKE, elem_id='query', apply_default_css=False
            )
            inputs = [query, *_options(gradio, searcher.cameras)]
            button = gradio.Button('Search', variant='primary', elem_id='search')
            gradio.Markdown(
                f'{info["pictures"]:,} pictures, features of `{html.escape(info["model"])}` '
                f'({info["checksum"][:12]})'
            )
        with gradio.Column(scale=3, min_width=300):
            status = gradio.Markdown('Choose a picture and its modality, then search.')
            table = gradio.HTML(elem_id='table', apply_default_css=False)
            results = gradio.HTML(
                value=[], html_template=_TILES, js_on_load=_MARK, tiles=[], elem_id='results',
                apply_default_css=False,
            )  # fmt: skip

    def search(*values: Any) -> tuple:
        with messages(gradio):
            answer = searcher.search(*values)
        shown = gradio.HTML(value=[''] * len(answer.matches), tiles=tiles(answer))
        return answer, shown, _describe(answer), ''

    def mark(marks: object, answer: Found | None) -> str:
        with messages(gradio):
            if answer is None:
                raise InvalidValueError('Search first.')
            return _link(answer.to_csv(marks), [m for m in marks if m])

    button.click(
        search, inputs, [found, results, status, table], api_name='search',
        concurrency_limit=1, concurrency_id='model', show_progress_on=status,
    )  # fmt: skip
    results.input(mark, [results, found], table, api_name='mark', show_progress='hidden')


def _options(gradio: Any, cameras: list[int]) -> list:
    """The parts that say how to search, in the order of ``Searcher.search``."""
    modality = gradio.Radio(list(MODALITIES), value=INFRARED, label='The picture is')
    k = gradio.Slider(1, MAX_MATCHES, value=12, step=1, label='Matches')
    with gradio.Accordion('Filters', open=False):
        least = gradio.Slider(-1, 1, value=-1, step=0.01, label='Least similarity')
        seen_by = gradio.CheckboxGroup(cameras, label='Cameras (none: all)')
        modalities = gradio.CheckboxGroup(list(MODALITIES), label='Modalities (none: both)')
        after = gradio.Textbox(label='Taken after (UTC)', placeholder='2026-01-31T08:00')
        before = gradio.Textbox(label='Taken before (UTC)', placeholder='2026-02-01')
    return [modality, k, least, seen_by, modalities, after, before]


def _describe(found: Found) -> str:
    if not found.matches:
        return 'Nothing found: no picture passes the filters.'
    return f'{len(found.matches)} matches, best first. Mark those that are right and wrong.'


def _link(table: str, marks: list[str]) -> str:
    """A link that saves a table, which is inside of it."""
    data = base64.b64encode(table.encode()).decode()
    counts = f'{marks.count("right")} right, {marks.count("wrong")} wrong'
    return (
        f'<a id="save" download="marks.csv" href="data:text/csv;charset=utf-8;base64,{data}">'
        f'Save {counts} as a table (CSV)</a>'
    )


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ('=', '+', '-', '@', '\t', '\r') else text
