"""The pages in ``docs/``: their commands run, what they name exists, what is made is right."""

import importlib.util
import re
import shlex
import shutil
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from mmengine.config import Config

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
#: As a stranger reads them: a page may use what those before it have left.
PAGES = [
    name
    for name in re.findall(r'^[a-z_]+$', (DOCS / 'index.md').read_text(), re.MULTILINE)
    if (DOCS / f'{name}.md').is_file()
]
BLOCK = re.compile(r'^```([^\n]*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
#: What a command gets instead, so that it is cheap.
SMALLER = dict(small='tiny')
#: Pages that go on from what others have left.
NEEDS = dict(evaluate=['start'])


class Block(NamedTuple):
    """A fenced block: its language, what stands behind that, and its text."""

    language: str
    words: list[str]
    text: str


def blocks(path: Path) -> list[Block]:
    found = BLOCK.findall(path.read_text('utf-8'))
    return [Block(*(info.split(' ', 1) + [''])[:1], info.split()[1:], text) for info, text in found]


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command of a block of Bash, without variables in front."""
    for line in block.text.replace('\\\n', ' ').splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch('[A-Z_]+=.*', words[0]):
            words.pop(0)
        if words:
            yield words


def code_files(page: list[Block]) -> dict[str, str]:
    """Files whose paths stand behind a block's language; later blocks add to earlier ones."""
    files = {}
    for block in page:
        if block.words and '/' in block.words[0]:
            files[block.words[0]] = files.get(block.words[0], '') + block.text
    return files


def texts() -> list[Path]:
    """Pages whose commands are checked: those of ``docs/`` and the front page."""
    return [ROOT / 'README.md', *sorted(DOCS.glob('*.md'))]


def load(name: str):
    spec = importlib.util.spec_from_file_location(f'docs_{name}', DOCS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- what is written ------------------------------------------------------------------------------


class Understood(Exception):
    """A command line that its tool takes."""


@pytest.fixture
def parse_only(monkeypatch):
    """Tools end when they have read their command line."""
    parse = ArgumentParser.parse_known_args

    def stop(self, args=None, namespace=None):
        known, others = parse(self, args, namespace)
        raise Understood(known, *others)

    monkeypatch.setattr(ArgumentParser, 'parse_known_args', stop)


@pytest.mark.parametrize('path', texts(), ids=lambda path: path.name)
def test_tools_take_the_commands_that_are_written(path, load_tool, parse_only):
    for block in blocks(path):
        if block.language != 'bash':
            continue
        for words in commands(block):
            if words[0] == 'python' and words[1].startswith('tools/'):
                with pytest.raises(Understood) as understood:
                    load_tool(words[1].removeprefix('tools/')).main(words[2:])
                assert len(understood.value.args) == 1, words  # no others
            elif words[0].startswith('tools/'):
                assert (ROOT / words[0]).is_file(), words
            elif words[0] == 'make':
                assert f'\n{words[1]}:' in (ROOT / 'Makefile').read_text(), words
            elif words[:3] == ['pip', 'install', '-e'] and '[' in words[3]:
                extra = words[3].strip('.[]')
                assert f"'{extra}':" in (ROOT / 'setup.py').read_text(), words
            else:
                assert words[0] in ('pip', 'cd', 'git'), words


@pytest.mark.parametrize('path', texts(), ids=lambda path: path.name)
def test_configs_that_are_named_exist(path):
    named = set(re.findall(r'\b(?:configs|projects)/[\w./-]+\.(?:py|yml|md)', path.read_text()))
    written = set(code_files(blocks(path)))
    assert [name for name in sorted(named - written) if not (ROOT / name).is_file()] == []


# --- what is run ----------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def desk(tmp_path_factory, rendered):
    """A folder that looks like a clone in which the rendered data are, and are tiny."""
    folder = tmp_path_factory.mktemp('clone')
    for name in ('configs', 'tools'):
        (folder / name).symlink_to(ROOT / name)
    for name in ('projects', 'data'):
        (folder / name).mkdir()
    for name in ('synthetic_small', 'rendered', 'own'):  # rendering would find them complete
        shutil.copytree(rendered('sysu'), folder / 'data' / name)
    return folder


@pytest.fixture
def stranger(desk, shrink, load_tool, monkeypatch):
    """``stranger(page)`` types what a page says; of configs, networks and batches are small."""
    read, count = Config.fromfile, len(list(desk.glob('*')))

    def small(path, *args, **kwargs):
        cfg = read(path, *args, **kwargs)
        if 'train_dataloader' not in cfg:
            return cfg
        monkeypatch.setattr(Config, 'fromfile', read)
        tiny = shrink(path)
        monkeypatch.setattr(Config, 'fromfile', small)
        tiny.train_cfg = cfg.train_cfg
        tiny.default_hooks = cfg.default_hooks
        for name in ('train', 'val', 'test'):
            loader = f'{name}_dataloader'
            tiny[loader].dataset.data_root = cfg[loader].dataset.data_root
        tiny.pop('work_dir')
        tiny.experiment_name = f'{desk.name}_{next(numbers)}'
        return tiny

    numbers = iter(range(count * 1000, 10**9))
    monkeypatch.setattr(Config, 'fromfile', small)
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(str(ROOT))
    projects = importlib.import_module('projects')
    monkeypatch.setattr(projects, '__path__', [*projects.__path__, str(desk / 'projects')])

    def read_page(name: str) -> None:
        if (desk / f'read_{name}').exists():
            return
        page = blocks(DOCS / f'{name}.md')
        for path, text in code_files(page).items():
            (desk / path).parent.mkdir(parents=True, exist_ok=True)
            (desk / path).write_text(text)
        for block in page:
            language, words, text = block
            if words == ['run']:
                if language == 'python':
                    exec(compile(text, f'{name}.md', 'exec'), {})
                for command in commands(block) if language == 'bash' else ():
                    tool, *arguments = (SMALLER.get(word, word) for word in command[1:])
                    load_tool(tool.removeprefix('tools/')).main(arguments)
        (desk / f'read_{name}').touch()

    return read_page


@pytest.mark.parametrize('page', PAGES)
def test_commands_run(page, stranger, desk):
    for name in (*NEEDS.get(page, ()), page):
        stranger(name)
