"""The guard alone: what comes through, without a page."""

import asyncio
import os
import sys

import pytest

from mmvireid.web.server import Guard, quiet_gradio


def ask(
    path, method='GET', length=None, kind='http', host='127.0.0.1:7860', hosts=None, origin=None
):
    """Status of a request, 200 where it came through, and its headers."""
    sent = []

    async def app(scope, receive, send):
        await send(dict(type='http.response.start', status=200, headers=[(b'x', b'y')]))
        await send(dict(type='http.response.body', body=b'inside'))

    async def send(message):
        sent.append(message)

    headers = [] if length is None else [(b'content-length', str(length).encode())]
    headers.append((b'host', host.encode()))
    headers += [] if origin is None else [(b'origin', origin.encode())]
    scope = dict(type=kind, path=path, method=method, headers=headers)
    asyncio.run(Guard(app, hosts)(scope, None, send))
    return (sent[0]['status'], dict(sent[0]['headers'])) if sent else (None, {})


@pytest.mark.parametrize(
    'path', ['/', '/config', '/assets/index.js', '/gradio_api/queue/data', '/theme.css']
)
def test_what_the_page_needs_comes_through(path):
    status, headers = ask(path)
    assert status == 200 and headers[b'x'] == b'y'
    assert headers[b'content-security-policy'].startswith(b"default-src 'self'; ")


@pytest.mark.parametrize(
    'path',
    [
        '/gradio_api/file=/etc/passwd',
        '/gradio_api/file/etc/passwd',
        '/file=/etc/passwd',
        '/gradio_api/upload',
        '/gradio_api/stream/a/b/c/playlist.m3u8',
        '/gradio_api/proxy=http://127.0.0.1:1/',
        '/gradio_api/custom_component/x/y/z',
        '/static/../../../../etc/passwd',
        '/static//etc/passwd',
        '/assets/..\\..\\secret',
        '/assets/a\0b',
        '/docs',
        '/openapi.json',
        '/monitoring',
        '/configs',
    ],
)
def test_everything_else_is_not_there(path):
    assert ask(path)[0] == 404
    assert ask(path, 'POST', 10)[0] == 404


def test_other_names_that_lead_here_are_refused():
    local = ('127.0.0.1', 'localhost')
    for host in ('127.0.0.1:7860', 'localhost:7860', 'localhost'):
        assert ask('/', host=host, hosts=local)[0] == 200
    for host in ('evil.example:7860', 'evil.example', '127.0.0.1.evil.example:7860', ''):
        assert ask('/', host=host, hosts=local)[0] == 421
        assert ask('/', host=host)[0] == 200  # the page of a network has any name


def test_pages_of_somebody_else_are_refused():
    assert ask('/config', origin='http://127.0.0.1:7860')[0] == 200
    others = 'http://127.0.0.1:9999', 'http://localhost:7860', 'https://evil.example', 'null', ''
    for origin in others:
        assert ask('/config', origin=origin)[0] == 403
        assert ask('/gradio_api/queue/join', 'POST', 10, origin=origin)[0] == 403


def test_messages_have_a_size():
    path = '/gradio_api/queue/join'
    assert ask(path, 'POST', 2**20)[0] == 200
    assert ask(path, 'POST', 2**25)[0] == 413
    assert ask(path, 'POST')[0] == 411  # no size, as of a stream
    assert ask(path, kind='websocket')[0] is None
    assert ask('', kind='lifespan')[0] == 200


def test_the_extra_is_named_and_temporary_files_go(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(RuntimeError, match=r"web: .*pip install -e '.\[web\]'"), quiet_gradio():
        pass
    assert os.environ['GRADIO_ANALYTICS_ENABLED'] == 'False'
    assert not os.path.exists(os.environ['GRADIO_TEMP_DIR'])
