"""Pages of the documentation that are made of the project, when it is built.

The READMEs of configs, projects and tools become pages at their places below ``_made``, so that
they link each other as they do in the clone. The reference is made of what the package exports,
the list of messages of the places that raise them.
"""

import ast
import inspect
import os
import pkgutil
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import gallery

from mmvireid.benchmark.table import markdown

ROOT = Path(__file__).parents[1]
#: Where they lie, below this folder.
MADE = '_made'
#: Pages of the clone that become pages here.
MIRRORED = (
    'configs/*/README.md',
    'projects/*/README.md',
    'tools/README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
)
#: A link or picture of Markdown, or a picture of HTML, with a relative address.
LINK = re.compile(r'(?P<begin>\]\(|src=")(?P<path>[^)#":\s]+)(?P<end>(?:#[^)\s]*)?[)"])')
CODE = re.compile(r'(^```.*?^```$|`[^`\n]+`)', re.MULTILINE | re.DOTALL)
#: Something of the clone stands in the place of this, and of what is there for readers of the file.
MARK = re.compile(r'^<!-- made: (\w+) -->$.*?^<!-- end of made -->$', re.MULTILINE | re.DOTALL)
#: Comments are the building's alone: who reads the file has no use for a tree of contents.
TREE = re.compile(r'^<!-- toctree\n(.*?)^-->$', re.MULTILINE | re.DOTALL)
REFUSALS = (
    'InvalidValueError',
    'InvalidTypeError',
    'UnknownNameError',
    'MissingFileError',
    'RunStoppedError',
)
#: What stands in a message for something that differs each time.
VARYING = '…'


def make_pages(folder: Path) -> None:
    """Write all of them."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = {Path(name): (ROOT / name).read_text('utf-8') for name in mirrored()}
    pages |= {Path('api', f'{room}.rst'): text for room, text in reference().items()}
    pages[Path('messages.md')] = messages_page()
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, 'utf-8')
    gallery.draw(folder / 'pictures')


@cache
def mirrored() -> list[str]:
    """Pages of the clone that become pages here, relative to it."""
    found = [path for pattern in MIRRORED for path in sorted(ROOT.glob(pattern))]
    return [path.relative_to(ROOT).as_posix() for path in found]


# --- links and tables -----------------------------------------------------------------------------


def finish_page(app, docname: str, source: list[str]) -> None:
    """Put in what is made, and let links meet pages; Sphinx calls it for each page.

    Args:
        app: The build.
        docname: The page, relative to this folder, without its suffix.
        source: Its text, which is replaced.
    """
    if Path(app.env.doc2path(docname)).suffix == '.md':
        built = Path(f'{docname}.md')
        if built.is_relative_to(MADE):  # what stands in the clone has its tables
            origin = built.relative_to(MADE)
        else:
            origin = Path('docs', built)
            source[0] = MARK.sub(lambda match: part_of(match[1]), source[0])
            source[0] = TREE.sub(r'```{toctree}\n\1```', source[0])
        source[0] = relink(source[0], origin, built)


def relink(text: str, origin: Path, built: Path) -> str:
    """Let the links of a page lead to pages of the documentation, and to files of the clone.

    Args:
        text: Of the page.
        origin: Where it lies in the clone, and where its links start from.
        built: Where it lies in the documentation.
    """

    def change(match: re.Match) -> str:
        page = page_of(Path(os.path.normpath(origin.parent / match['path'])))
        path = Path(os.path.relpath(page, built.parent)).as_posix()
        return f'{match["begin"]}{path}{match["end"]}'

    parts = CODE.split(text)  # what is quoted stays
    parts[::2] = [LINK.sub(change, part) for part in parts[::2]]
    return ''.join(parts)


def page_of(target: Path) -> Path:
    """Where a file of the clone is found from the documentation's folder; of a folder its README.

    Args:
        target: Relative to the clone.
    """
    if target == Path('README.md'):
        return Path('index.md')
    if target.is_relative_to('docs'):
        return target.relative_to('docs')
    for page in (target, target / 'README.md'):
        if page.as_posix() in mirrored():
            return MADE / page
    return Path('..', target)


def part_of(what: str) -> str:
    """What stands in the place of a mark.

    Args:
        what: ``'readme'`` (the front page of the clone), ``'contracts'`` (who may import whom),
            ``'pulls'`` and ``'poolings'`` (pictures of losses and necks), or a room of the models.
    """
    if what == 'readme':
        return relink((ROOT / 'README.md').read_text('utf-8'), Path('README.md'), Path('index.md'))
    if what == 'pulls':
        return pictures_of_pulls()
    if what == 'poolings':
        return f'![What counts of a feature map]({MADE}/pictures/poolings.png)'
    if what != 'contracts':
        return table_of_parts(import_module(f'mmvireid.models.{what}'))
    parts = []
    rules = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))
    for contract in rules['tool']['importlinter']['contracts']:
        where = contract.get('containers', ['the clone'])[0]
        floors = [[', '.join(f'`{r}`' for r in floor.split(' | '))] for floor in contract['layers']]
        parts.append(markdown([[f'{contract["name"]} (`{where}`)'], *floors]))
    return '\n\n'.join(parts)


def table_of_parts(room: ModuleType) -> str:
    """A line for each class of a room that a config can name.

    Args:
        room: A package of :mod:`mmvireid.models`.
    """
    table = [['', 'what it does']]
    for name, cls in gallery.exported(room).items():
        words = first_words(cls)
        if function := re.match(r':func:`(\w+)`', words):  # a thin coat
            words = first_words(getattr(sys.modules[cls.__module__], function[1]))
        words = re.sub(r':\w+:`~?([^`]+)`', r'`\1`', words.replace('``', '`'))
        table.append([f'{{py:class}}`~{room.__name__}.{name}`', words.replace('|', '\\|')])
    return markdown(table)


def first_words(thing: object) -> str:
    """The first paragraph of a docstring."""
    return inspect.getdoc(thing).split('\n\n')[0].replace('\n', ' ')


def pictures_of_pulls() -> str:
    """The pictures of losses, as many in a row as there is room for."""
    names = gallery.pulling_losses()
    return '\n'.join(f'![{name}]({MADE}/pictures/{name}.png){{width=235px}}' for name in names)


# --- reference ------------------------------------------------------------------------------------


def exported() -> dict[str, dict[str, object]]:
    """Classes and functions that the package exports, by room; each once, at its shortest name."""
    import mmvireid

    names = [module.name for module in pkgutil.walk_packages(mmvireid.__path__, 'mmvireid.')]
    rooms, seen = {}, set()
    for name in sorted(names, key=lambda name: (name.count('.'), name)):
        module = import_module(name)
        for export in getattr(module, '__all__', ()):
            thing = getattr(module, export)
            is_code = inspect.isclass(thing) or inspect.isfunction(thing)
            if is_code and thing.__module__.startswith('mmvireid.') and thing not in seen:
                seen.add(thing)
                rooms.setdefault(name, {})[export] = thing
    return rooms


def reference() -> dict[str, str]:
    """A page for each room of the package, with everything that it exports."""
    pages = {}
    for room, things in exported().items():
        title = room.removeprefix('mmvireid.')
        words = inspect.getdoc(import_module(room)) or ''
        parts = [f'{title}\n{"=" * len(title)}', words, f'.. currentmodule:: {room}']
        for name, thing in things.items():
            kind = 'class' if inspect.isclass(thing) else 'function'
            options = '\n   :show-inheritance:' if kind == 'class' else ''
            if kind == 'class' and (members := own_members(thing)):
                options += f'\n   :members: {", ".join(members)}'
            parts.append(f'.. auto{kind}:: {name}{options}')
        pages[title] = '\n\n'.join(parts) + '\n'
    return pages


def own_members(cls: type) -> list[str]:
    """Public methods and properties that a class itself has words for."""
    kinds = (property, classmethod, staticmethod)
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith('_')
        and (inspect.isfunction(value) or isinstance(value, kinds))
        and value.__doc__
    ]


# --- messages -------------------------------------------------------------------------------------


@cache
def messages() -> dict[str, list[str]]:
    """What the package and its tools say when something is wrong, in their words, by file.

    These are the errors of ``mmvireid.errors``, and sentences that begin with the name of a class,
    a function or a tool: ``FiniteLossHook: ...``. See :data:`VARYING`.
    """
    paths = [*ROOT.glob('mmvireid/**/*.py'), *ROOT.glob('tools/**/*.py')]
    trees = {p: ast.parse(p.read_text('utf-8')) for p in sorted(paths) if '.mim' not in p.parts}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    names = {n.name for n in nodes if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    names |= {path.stem for path in trees}
    found = {path: list(dict.fromkeys(said(tree, names))) for path, tree in trees.items()}
    return {path.relative_to(ROOT).as_posix(): texts for path, texts in found.items() if texts}


def said(tree: ast.Module, names: set[str]) -> Iterator[str]:
    """The messages of a module.

    Args:
        tree: Of the module.
        names: What a message may begin with.
    """
    nodes = [*ast.walk(tree)]
    others = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # docstrings
    others |= {
        id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in nodes:
        if isinstance(node, ast.Call) and getattr(node.func, 'id', None) in REFUSALS and node.args:
            text = spelled(node.args[0])
            if len(re.findall(r'\w{3,}', text)) > 1:
                yield text
        elif isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in others:
            text = spelled(node)
            name, colon, rest = text.partition(': ')
            if colon and name in names and rest.endswith('.'):
                yield text


def spelled(node: ast.expr) -> str:
    """A message with :data:`VARYING` where something is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return ''.join(map(spelled, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return spelled(node.left) + spelled(node.right)
    return VARYING


def messages_page() -> str:
    """The list of all messages."""
    parts = [
        '# All messages',
        f'What is refused, by the file that refuses it; {VARYING} stands for what differs each '
        'time. Search this page for words of yours. Answers to the frequent ones are in '
        '[Problems and answers](docs/problems.md).',
    ]
    for path, texts in messages().items():
        parts.append(f'## `{path}`\n\n```text\n' + '\n\n'.join(texts) + '\n```')
    return '\n\n'.join(parts) + '\n'
