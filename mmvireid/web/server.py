"""Who may ask the page for what: nothing but the page and its own messages."""

import os
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from mmvireid.errors import RunStoppedError, from_extra
from mmvireid.web.pictures import MAX_BYTES

#: Paths that the page needs; all others, and so all that read or write files, are not there.
ALLOWED = (
    '/assets/',
    '/config',
    '/favicon.ico',
    '/gradio_api/app_id',
    '/gradio_api/call/',
    '/gradio_api/cancel',
    '/gradio_api/heartbeat/',
    '/gradio_api/info',
    '/gradio_api/queue/',
    '/gradio_api/reset',
    '/gradio_api/startup-events',
    '/static/',
    '/svelte/',
    '/theme.css',
)
_FOLDERS = tuple(path for path in ALLOWED if path.endswith('/'))
#: Nothing is fetched from anywhere else, whatever the page's libraries would like.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)
_HEADERS = (
    (b'content-security-policy', POLICY.encode()),
    (b'x-content-type-options', b'nosniff'),
    (b'referrer-policy', b'no-referrer'),
)
#: Names of this machine that lead nowhere else.
_LOCAL = ('127.0.0.1', 'localhost')
#: A picture in base64, and what is sent with it.
_MAX_BODY = 4 * MAX_BYTES // 3 + 2**20


class Guard:
    """An ASGI middleware that lets through what the page needs, of limited size.

    Args:
        app: What it guards.
        hosts: Names by which the page may be asked for; ``None`` for any. At this machine only,
            others mean that a page of somebody else asks, by a name that leads here.
    """

    def __init__(self, app: Callable[..., Awaitable], hosts: Collection[str] | None = None) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """Answer a request, or hand it on."""
        if scope['type'] != 'http':
            if scope['type'] == 'lifespan':
                await self.app(scope, receive, send)
            return
        status = self._refused(scope)
        if status is not None:
            await send(dict(type='http.response.start', status=status, headers=[*_HEADERS]))
            await send(dict(type='http.response.body', body=b''))
            return

        async def with_headers(message: dict) -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message.get('headers', ()), *_HEADERS]
            await send(message)

        await self.app(scope, receive, with_headers)

    def _refused(self, scope: dict) -> int | None:
        """The status of a request that is refused, ``None`` for any other."""
        path, headers = scope['path'], dict(scope['headers'])
        known = path in ('/', *ALLOWED) or path.startswith(_FOLDERS)
        if not known or '..' in path.split('/') or any(sign in path for sign in ('\\', '\0', '//')):
            return 404
        host = headers.get(b'host', b'').decode('latin-1').rpartition(':')
        if self.hosts is not None and (host[0] or host[2]) not in self.hosts:
            return 421
        origin = headers.get(b'origin')
        if origin is not None and origin.partition(b'://')[2] != headers.get(b'host'):
            return 403  # a page of somebody else asks, or of another program of this machine
        if scope['method'] in ('GET', 'HEAD'):
            return None
        length = headers.get(b'content-length', b'')
        if not length.isdigit():
            return 411
        return 413 if int(length) > _MAX_BODY else None


@contextmanager
def quiet_gradio() -> Iterator[Any]:
    """The module ``gradio``, which asks nobody for anything, and keeps its files to itself.

    Yields:
        The module. Its folder of temporary files goes with the block.

    Raises:
        RuntimeError: If it is not installed.
    """
    quiet = dict(
        GRADIO_ANALYTICS_ENABLED='False',
        HF_HUB_OFFLINE='1',
        HF_HUB_DISABLE_TELEMETRY='1',
        GRADIO_SSR_MODE='False',
    )
    with TemporaryDirectory(prefix='mmvireid_web_') as folder:
        os.environ.update(quiet, GRADIO_TEMP_DIR=folder)
        with from_extra('web', 'gradio', 'web'):
            import gradio
        yield gradio


def serve(page: Any, host: str = '127.0.0.1', port: int | None = None, block: bool = True) -> str:
    """Show a page.

    Args:
        page: From :func:`~mmvireid.web.build_page`.
        host: Address to listen at; others than this machine's own open the page to the network.
        port: ``None`` takes a free one from 7860 on.
        block: Whether to go on until the program is stopped.

    Returns:
        The page's address, unless it blocks.

    Raises:
        RuntimeError: If the port is taken.
    """
    from starlette.middleware import Middleware

    guard = Middleware(Guard, hosts=_LOCAL if host in _LOCAL else None)
    try:
        _, url, _ = page.launch(
            server_name=host, server_port=port, prevent_thread_lock=True, share=False, quiet=True,
            show_error=True, ssr_mode=False, pwa=False, mcp_server=False, run_history=False,
            enable_monitoring=False, footer_links=[], max_file_size=MAX_BYTES, allowed_paths=[],
            app_kwargs=dict(middleware=[guard], docs_url=None, redoc_url=None,
                            openapi_url=None),
            **page.looks,
        )  # fmt: skip
    except OSError as error:
        raise RunStoppedError(
            f'serve: {host}:{port or "7860 to 7959"} cannot be listened at ({error}). Choose '
            'another port.'
        ) from error
    if block:
        print(f'The page is at {url} (Ctrl-C ends it).', flush=True)
        page.block_thread()
    return url
