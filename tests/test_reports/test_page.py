import builtins
import re
import shutil

import pytest

from mmvireid.reports import page as module
from mmvireid.reports import plotly_script, write_page
from mmvireid.reports.markup import Section

NASTY = '</script><img src=x onerror=alert(1)><b>'
TITLES = [
    'What was run', 'Learning curves', 'Results', 'Compared with each other',
    'R1 by pair of cameras', 'R1 by identity', 'Ranked lists', 'Distances',
    't-SNE of the features', 'Generated pictures',
]  # fmt: skip
CHROMIUM = next(filter(None, map(shutil.which, ['chromium', 'chromium-browser'])), '')


@pytest.fixture
def runs(make_run, images):
    record = dict(
        config=NASTY,
        stages=[[NASTY, 0], ['b', 2]],
        settings={NASTY: NASTY},
        changes={NASTY: [1, NASTY]},
    )
    run = make_run('a', noise=0.4, record=record, source=dict(split=NASTY))
    run.name = NASTY
    run.curves.training[NASTY] = {1: 1.0, 2: 2.0}
    return [run, make_run('b')]


def test_a_page_is_whole_and_has_every_section(runs, parse):
    page = parse(write_page(runs, '/* plotly */'))
    assert [page.texts.count(title) for title in TITLES] == [2] * len(module.SECTIONS)
    assert page.count('img') == 2 * 3 * 4 * 11
    links = {a['href'] for tag, a in page.tags if tag == 'a'}
    assert links == {f'#{a["id"]}' for tag, a in page.tags if tag == 'section'}


def test_nothing_of_the_data_is_run_and_nothing_fetched(runs, parse):
    text = write_page(runs, '/* plotly */')
    page = parse(text)
    scripts = [attributes for tag, attributes in page.tags if tag == 'script']
    assert len([a for a in scripts if not a]) == 2  # plotly's and the page's
    assert all(a == dict(type='application/json') for a in scripts if a)
    assert not any(key.startswith('on') for _, attributes in page.tags for key in attributes)
    addresses = [a[key] for _, a in page.tags for key in ('src', 'href', 'data') if key in a]
    assert all(address.startswith(('data:', '#')) for address in addresses)
    assert not re.search(r'@import|url\(', text)
    assert NASTY in page.text


def test_pictures_are_left_out_where_a_page_would_be_too_large(monkeypatch, make_run, parse):
    pictures = tuple(f'<img alt="{number}" src="data:,{"x" * 3000}">' for number in range(5))
    parts = [Section('Large', '', pictures), Section('Small', 'kept', pictures[:1])]
    monkeypatch.setattr(module, 'SECTIONS', [lambda runs, part=part: part for part in parts])
    run = make_run('a', tested=False)
    whole = write_page([run], '')
    bare = len(whole) - 6 * len(pictures[0])
    monkeypatch.setattr(module, 'MAX_BYTES', bare + 4 * len(pictures[0]))
    page = parse(smaller := write_page([run], ''))
    assert len(smaller.encode()) <= module.MAX_BYTES
    assert [a['alt'] for tag, a in page.tags if tag == 'img'] == ['0', '1', '0']
    assert '3 pictures are left out: the page would be too large.' in page.text
    monkeypatch.setattr(module, 'MAX_BYTES', bare + 10)
    assert parse(write_page([run], '')).count('img') == 0
    monkeypatch.setattr(module, 'MAX_BYTES', bare - 10)
    with pytest.raises(ValueError, match='without any picture, expected at most'):
        write_page([run], '')


def test_without_plotly_one_line_says_how_to_install_it(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith('plotly'):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(
        RuntimeError, match=r"plotly, .* extra 'report': pip install -e '\.\[report\]'"
    ):
        plotly_script()


@pytest.fixture(scope='module')
def chromium():
    if not CHROMIUM:
        pytest.skip('there is no Chromium: apt-get install chromium')
    api = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        yield browser
        browser.close()


def test_a_browser_draws_all_plots_without_a_network(runs, chromium, tmp_path, parse):
    path = tmp_path / 'report.html'
    path.write_text(text := write_page(runs, plotly_script()), 'utf-8')
    page = chromium.new_page(viewport=dict(width=390, height=800))
    errors, requests = [], []
    page.on('console', lambda message: errors.append(message.text))
    page.on('pageerror', lambda error: errors.append(str(error)))
    page.on('dialog', lambda dialog: errors.append(dialog.message))
    page.on('request', lambda request: requests.append(request.url))
    page.goto(f'file://{path}')
    drawn = page.eval_on_selector_all('.chart', '(all) => all.map((c) => !!c.querySelector("svg"))')
    assert drawn == [True] * len(parse(text).plots)
    assert [url for url in requests if not url.startswith('data:')] == [f'file://{path}']
    assert errors == []
    assert page.evaluate('document.documentElement.scrollWidth') <= 390
    widths = '(all) => Math.max(...all.map((c) => c.querySelector("svg").clientWidth))'
    narrow = page.eval_on_selector_all('.chart', widths)
    page.evaluate('window.dispatchEvent(new Event("beforeprint"))')
    assert narrow < 390 < page.eval_on_selector_all('.broad .chart', widths) <= 703
    page.close()
