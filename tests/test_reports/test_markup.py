import json
from types import SimpleNamespace

import numpy as np
import pytest
from plotly.graph_objects import Figure

from mmvireid.errors import InvalidValueError
from mmvireid.reports.markup import (
    COLORS,
    color_of,
    details,
    each_run,
    framed,
    grid,
    label,
    legend,
    plot,
    sentence,
    table,
    text,
)

NASTY = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\'&amp;'


@pytest.mark.parametrize(
    'make',
    [
        sentence,
        lambda nasty: table([nasty, nasty], [[nasty, [nasty]]]),
        lambda nasty: details(nasty, ''),
        lambda nasty: legend([nasty, 'b']),
        lambda nasty: plot(nasty, [dict(x=[1], y=[2], name=nasty)], meta=nasty),
        lambda nasty: each_run([SimpleNamespace(name=nasty)] * 2, lambda run: ''),
    ],
)
def test_no_text_becomes_markup(make, parse):
    """The tags are those of a harmless text, and the text arrives as it was."""
    page, harmless = parse(make(NASTY)), parse(make('harmless'))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert NASTY in page.text
    assert not any('onerror' in attributes for _, attributes in page.tags)


def test_a_plot_holds_its_values_for_any_browser(parse):
    data = [dict(x=np.arange(3), y=np.array([1.123456789, np.nan, -np.inf]), mode='lines')]
    (spec,) = parse(plot('loss', data, xaxis=dict(range=(0, np.float32(2))))).plots
    assert spec == dict(
        data=[dict(x=[0, 1, 2], y=[1.1235, None, None], mode='lines')],
        layout=dict(xaxis=dict(range=[0, 2.0])),
    )
    json.loads(json.dumps(spec), parse_constant=lambda name: pytest.fail(name))
    Figure(spec)  # plotly knows all of it


def test_a_label_is_shown_by_plotly_as_it_was():
    """Of entities plotly knows these three."""
    shown = label('a <b>bold</b> & "name"')
    assert '<' not in shown
    for entity, sign in (('&lt;', '<'), ('&gt;', '>'), ('&amp;', '&')):
        shown = shown.replace(entity, sign)
    assert shown == 'a <b>bold</b> & "name"'


def test_cells(parse):
    page = parse(table(['', 'a'], [['row', None], ['b', False], ['c', []], ['d', [[1], [2]]]]))
    assert [text for text in page.texts if text] == [
        'a', 'row', '\N{EN DASH}', 'b', 'no', 'c', '\N{EN DASH}', 'd', '[[1], [2]]',
    ]  # fmt: skip
    assert parse(framed('<th>x</th>', '', 'kind')).count('thead') == 1
    assert text(0) == '0'


def test_what_one_run_refuses_stands_in_its_place(parse):
    def draw(run):
        if run.name == 'b':
            raise InvalidValueError('no features of <b>')
        return 'drawn'

    runs = [SimpleNamespace(name=name) for name in 'abc']
    assert parse(each_run(runs, draw)).text == 'a drawn b no features of <b> c drawn'
    assert parse(each_run(runs[:1], draw)).text == 'drawn'


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        each_run([SimpleNamespace(name='a')], lambda run: 1 / 0)


def test_runs_have_colours(parse):
    assert legend(['alone']) == ''
    assert parse(legend(['a', 'b'])).text == 'a b'
    assert color_of(0) == color_of(len(COLORS)) != color_of(1)
    assert grid(['a', 'b']) == '<div class="grid">ab</div>'
