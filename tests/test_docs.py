"""The pages in ``docs/``: their commands run, what they name exists, what is made is right."""

import importlib
import re
import shlex
import shutil
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
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
    found = [(info.split(), text) for info, text in BLOCK.findall(path.read_text('utf-8'))]
    return [Block((*words, '')[0], words[1:], text) for words, text in found]


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


@pytest.fixture(scope='module')
def made():
    """The module that makes pages, which imports one beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield importlib.import_module('made')


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


def heads(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r'^```.*?^```$', '', path.read_text('utf-8'), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r'^#+ (.*)$', text, re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles}


@pytest.mark.parametrize('path', texts(), ids=lambda path: path.name)
def test_files_are_pages_without_the_build_too(path, made):
    """As GitHub shows them: links lead to what the clone has, and no directive is to be read."""
    text = ''.join(made.CODE.split(path.read_text('utf-8'))[::2])
    assert '```{' not in path.read_text('utf-8')
    for target, anchor in re.findall(r'(?:\]\(|src=")([^)#":\s]*)(#[^)\s"]*)?[)"]', text):
        leads = path.parent / target if target else path
        assert leads.exists() and made.MADE not in leads.parts, target
        assert not anchor or anchor[1:] in heads(leads), target + anchor


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
        if not {'model', 'train_dataloader'} <= {*cfg}:  # such as a part that others build upon
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


def runs_something(page: str) -> bool:
    return any(block.words == ['run'] for block in blocks(DOCS / f'{page}.md'))


@pytest.mark.parametrize('page', [*filter(runs_something, PAGES)])
def test_commands_run(page, stranger, desk):
    for name in (*NEEDS.get(page, ()), page):
        stranger(name)


# --- what is made ---------------------------------------------------------------------------------


def test_quoted_messages_stand_in_the_source(made):
    quoted = [
        line
        for block in blocks(DOCS / 'problems.md')
        if block.words == ['message']
        for line in block.text.splitlines()
    ]
    known = [text for texts in made.messages().values() for text in texts]
    unknown = [q for q in quoted if not any(k.startswith(q.rstrip('.')) for k in known)]
    assert unknown == [] and len(quoted) > 50


@pytest.mark.parametrize(
    ('link', 'expected'),
    [
        ('[a](../caj/README.md#top)', '[a](../caj/README.md#top)'),  # both pages have moved
        ('[a](../../docs/data.md)', '[a](../../../data.md)'),
        ('[a](../../README.md)', '[a](../../../index.md)'),
        ('[a](../caj)', '[a](../caj/README.md)'),
        ('![a](../caj/augmentations.jpg)', '![a](../../../../configs/caj/augmentations.jpg)'),
        ('<img src="../../tools/web.jpg">', '<img src="../../../../tools/web.jpg">'),
        ('[a](https://x.org/a.md)', '[a](https://x.org/a.md)'),
        ('`[a](../../README.md)`', '`[a](../../README.md)`'),
        ('```text\n[a](../../README.md)\n```', '```text\n[a](../../README.md)\n```'),
    ],
)
def test_links_lead_where_they_did(made, link, expected):
    name = 'configs/agw/README.md'
    assert made.relink(link, Path(name), Path(made.MADE, name)) == expected


def test_the_build_puts_what_it_makes_in_the_place_of_what_the_file_has(made):
    page = made.MARK.sub(lambda match: match[1].upper(), DOCS.joinpath('parts.md').read_text())
    assert 'Drawn by' not in page and 'made by `make docs`' not in page
    assert page.count('\nLOSSES\n') == page.count('\nPOOLINGS\n') == 1
    page = made.TREE.sub(r'```{toctree}\n\1```', DOCS.joinpath('index.md').read_text())
    trees = [block for block in BLOCK.findall(page) if block[0] == '{toctree}']
    assert len(trees) == 3 and 'start\ndata\n' in trees[0][1] and '<!-- toctree' not in page


def test_everything_exported_is_in_the_reference_once(made):
    rooms = made.exported()
    things = [thing for room in rooms.values() for thing in room.values()]
    assert len(things) == len(set(things)) > 300
    assert 'AGW' in rooms['mmvireid.models.methods'] and 'init_model' in rooms['mmvireid.apis']
    page = made.reference()['models.necks']
    assert '.. autoclass:: BNNeck\n   :show-inheritance:\n   :members: forward\n' in page
    assert '.. autofunction:: stripe_bounds\n' in page


def test_rooms_of_the_house_exist(made):
    tables = made.part_of('contracts').split('\n\n')
    for table in tables:
        where = re.search(r'\(`([\w.]+)`\)', table)
        folder = ROOT / where[1].replace('.', '/') if where else ROOT
        rooms = re.findall('`([^`]+)`', table.split('\n|---|\n')[1])
        assert rooms
        assert [r for r in rooms if not [*folder.glob(f'{r}.py'), *folder.glob(f'{r}/')]] == []


def test_the_picture_of_a_batch_names_what_exists(made):
    picture = (DOCS / 'batch.svg').read_text()
    known = {name for room in made.exported().values() for name in room}
    assert set(re.findall(r'\b[A-Z]\w+[a-z][A-Z]\w+', picture)) - known == set()
    rooms = re.findall(r'class="room"[^>]*>([^<]+)<', picture)
    named = {name for text in rooms for name in re.findall(r'\b[a-z]+/[a-z_]+', text)}
    assert len(named) > 8
    assert [name for name in sorted(named) if not (ROOT / 'mmvireid' / name).is_dir()] == []


def test_arrows_show_where_a_loss_falls(made):
    """A small step along them makes every pictured loss smaller."""
    gallery = made.gallery
    names = gallery.pulling_losses()
    assert {'WeightedRegularizedTripletLoss', 'HeteroCenterLoss'} <= set(names)
    assert not {'IdentityLoss', 'TriDirectionalRankingLoss'} & set(names)
    points, _ = gallery.vectors()
    for name in names:
        arrows = gallery.pull(name)
        with torch.no_grad():
            before, after = (
                gallery.value(name, points + step * arrows / arrows.norm()) for step in (0, 1e-3)
            )
        assert after < before, name


def test_pictures_of_poolings_are_their_weights(made):
    maps = made.gallery.feature_map()[0, 0]
    mean, highest = map(made.gallery.weight_of_places, ('AveragePooling', 'MaxPooling'))
    assert torch.allclose(mean, torch.full_like(maps, 1 / maps.numel()))
    assert highest.argmax() == maps.argmax() and highest.sum() == 1
    power = maps**2 / (maps**3).mean() ** (2 / 3) / maps.numel()  # the derivative of GeM with p = 3
    assert torch.allclose(made.gallery.weight_of_places('GeMPooling'), power, rtol=1e-4)
