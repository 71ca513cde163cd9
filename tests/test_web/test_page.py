"""The page as its users meet it: by messages, and in a browser."""

import base64
import csv
import http.client
import json
import os
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest

pytest.importorskip('gradio')
pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning:gradio.queueing')
CHROMIUM = next(
    filter(None, map(shutil.which, ['chromium', 'chromium-browser', 'google-chrome'])), ''
)
NO_FILTER = (-1, [], [], '', '')


@pytest.fixture(scope='module')
def client(url):
    from gradio_client import Client

    client = Client(url, verbose=False, download_files=False)
    yield client
    client.close()


def test_search_and_mark(client, world, upload):
    asked = upload(world.folder / 'data/cam3/0004/0001.png')
    shown, status, _ = client.predict(asked, 'infrared', 3, *NO_FILTER, api_name='/search')
    assert status.startswith('3 matches')
    assert shown['value'] == ['', '', '']
    tiles = shown['props']['tiles']
    assert '/0004/' in tiles[0]['name'] and tiles[0]['where'].endswith('visible')
    assert all(tile['url'].startswith('data:image/jpeg;base64,') for tile in tiles)
    link = client.predict(['right', '', 'wrong'], api_name='/mark')
    assert '1 right, 1 wrong' in link
    table = base64.b64decode(re.search(r'base64,([^"]+)', link).group(1)).decode()
    rows = list(csv.DictReader(StringIO(table)))
    assert [row['mark'] for row in rows] == ['right', 'wrong']
    assert rows[0]['picture'] == tiles[0]['name']
    none, status, _ = client.predict(
        asked, 'infrared', 3, -1, [1], ['infrared'], '', '', api_name='/search'
    )
    assert none['value'] == [] and status.startswith('Nothing found')


def test_what_is_refused_is_said(client, world, upload):
    from gradio_client.exceptions import AppError

    asked = upload(world.folder / 'data/cam3/0004/0001.png')
    for arguments, message in (
        ((None, 'infrared', 3, *NO_FILTER), 'Choose a picture'),
        ((asked, 'infrared', 3, -1, [], [], '<b>', ''), '&lt;b&gt;'),
        ((asked, 'infrared', 3, -1, [], [], '', '2026-13-01'), 'expected a date'),
    ):
        with pytest.raises(AppError, match=message):
            client.predict(*arguments, api_name='/search')
    client.reset_session()
    with pytest.raises(AppError, match='Search first'):
        client.predict(['right'], api_name='/mark')


def test_ranked_lists_are_browsed(client, evaluation):
    page = client.predict('sysu/all-1shot', 2, api_name='/ranked_lists')
    assert page == evaluation.page('sysu/all-1shot', 2)


def get(url: str, path: str, method: str = 'GET', body: str | None = None) -> tuple[int, bytes]:
    """Status and content of a path that no library has tidied."""
    connection = http.client.HTTPConnection(url.split('/')[2], timeout=20)
    connection.request(method, path, body, {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_no_file_can_be_reached(url, world):
    secret = world.folder / 'gallery_secret.txt'
    secret.write_text('TOP SECRET')
    (world.folder / 'link.png').symlink_to(secret)
    picture = world.folder / 'data/cam1/0001/0001.png'
    names = [secret, world.folder / 'link.png', picture, '/etc/passwd', '../../../../etc/passwd',
             '..%2f..%2f..%2fetc%2fpasswd', f'{secret.parent}/data/../{secret.name}']  # fmt: skip
    for name in map(str, names):
        for prefix in ('/gradio_api/file=', '/file=', '/gradio_api/file/', '/static/', '/assets/'):
            for path in (
                prefix + name,
                prefix + name.replace('/', '%2F'),
                prefix + name.lstrip('/'),
            ):
                status, content = get(url, path)
                assert status in (403, 404) and b'SECRET' not in content and b'root:' not in content
    assert get(url, '/gradio_api/upload', 'POST', 'x')[0] == 404


def test_a_file_of_the_server_is_no_query(url, world):
    picture = str(world.folder / 'data/cam1/0001/0001.png')
    for asked in (dict(path=picture, meta=dict(_type='gradio.FileData')),
                  dict(path='http://127.0.0.1:1/a.png', meta=dict(_type='gradio.FileData')),
                  dict(name='a', data=f'file://{picture}')):  # fmt: skip
        body = json.dumps(dict(data=[asked, 'visible', 3, *NO_FILTER]))
        status, content = get(url, '/gradio_api/call/search', 'POST', body)
        assert status == 200
        event = json.loads(content)['event_id']
        status, content = get(url, f'/gradio_api/call/search/{event}')
        assert b'event: error' in content and b'event: complete' not in content


def test_nothing_that_was_sent_is_kept(client, world, upload):
    client.predict(upload(world.folder / 'data/cam3/0002/0001.png'), 'infrared', 3, *NO_FILTER,
                   api_name='/search')  # fmt: skip
    kept = [path for path in Path(os.environ['GRADIO_TEMP_DIR']).rglob('*') if path.is_file()]
    assert kept == []


@pytest.fixture
def browser():
    if not CHROMIUM:
        pytest.skip('there is no Chromium: apt-get install chromium')
    api = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        yield chromium
        chromium.close()


def test_in_a_browser(browser, url, world):
    page = browser.new_page(viewport=dict(width=1200, height=900))
    page.set_default_timeout(60_000)
    asked, broken = [], []
    page.on('request', lambda request: asked.append(request.url))
    page.on('pageerror', lambda error: broken.append(str(error)))
    page.goto(url)
    page.set_input_files('#query input', str(world.folder / 'data/cam3/0004/0001.png'))
    page.wait_for_selector('#query img')
    page.click('#search button, button#search')
    page.wait_for_selector('#results .tile:nth-child(12)')

    page.click('#results .tile:nth-child(1) .mark-right')
    page.get_by_text('Save 1 right, 0 wrong').wait_for()
    page.click('#results .tile:nth-child(12) .mark-wrong')
    page.get_by_text('Save 1 right, 1 wrong').wait_for()
    with page.expect_download() as download:
        page.click('#save')
    rows = list(csv.DictReader(StringIO(Path(download.value.path()).read_text())))
    assert [(row['rank'], row['mark']) for row in rows] == [('1', 'right'), ('12', 'wrong')]
    assert '/0004/' in rows[0]['picture'] and rows[0]['query'] == '0001.png'

    page.get_by_text('Filters').click()
    page.get_by_label('5', exact=True).check()
    page.click('#search')
    page.wait_for_selector('#results .tile:nth-child(12)', state='detached')
    captions = page.locator('#results figcaption').all_inner_texts()
    assert len(captions) == 8 and all('camera 5' in caption for caption in captions)

    for width in (1200, 390):
        page.set_viewport_size(dict(width=width, height=800))
        for tab in ('Evaluation', 'Search'):
            page.get_by_role('tab', name=tab).click()
            page.wait_for_timeout(200)
            assert page.evaluate('document.documentElement.scrollWidth') <= width
    assert broken == []
    assert all(address.startswith((url, 'data:', 'blob:')) for address in asked)
