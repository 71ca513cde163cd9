"""READMEs and metafiles that say what the lines say."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmvireid.errors import InvalidValueError
from mmvireid.storage import read_text

from .cells import RULES, SIZES
from .table import (
    FIGURES,
    WORDS,
    Row,
    caption,
    differences,
    differences_table,
    figures_table,
    markdown,
    pairs_table,
    rows_of,
)

Rows = dict[tuple[str, str], Row]
#: A table stands between these; its name is that of a folder of configs, or one of ``OF_ALL``.
MARKED = re.compile(r'(<!-- benchmark: (\S+) (\S+) -->\n).*?(<!-- end of benchmark -->)', re.DOTALL)
#: Of any two configs; a line of the mark is ``NAME minus NAME``, a name that of a config, or of an
#: experiment with one, ``agw_synthetic@longer4``.
PAIRED = re.compile(
    r'(<!-- differences: (\S+)\n(.*?)-->\n).*?(<!-- end of differences -->)', re.DOTALL
)
OF_ALL, NOTHING = ('summary', 'methods', 'published'), 'Nothing has been run yet.'


@dataclass
class Method:
    """The configs of one folder, as its metafile has them.

    Args:
        path: The metafile.
        root: Of the project.
    """

    path: Path
    root: Path

    def __post_init__(self) -> None:
        self.content = yaml.safe_load(read_text(self.path))
        self.collection = self.content['Collections'][0]
        self.models = self.content['Models'] or []
        self.folder = self.path.parent.relative_to(self.root).as_posix()

    @property
    def name(self) -> str:
        """What its tables are called: its folder's name."""
        return self.path.parent.name

    @property
    def full(self) -> str | None:
        """The config of the whole method on rendered data."""
        return (self.collection.get('Metadata') or {}).get('Full')

    @property
    def baseline(self) -> str | None:
        """The config that all others of the method are compared with."""
        return (self.collection.get('Metadata') or {}).get('Baseline')

    @property
    def paper(self) -> str:
        """Who, where and when, in a few words."""
        return '{Authors}, {Venue} {Year}'.format_map(self.collection['Paper'])

    def link(self, page: Path) -> str:
        """What its folder has, with a link to its README, for a page."""
        target = os.path.relpath(self.root / self.collection['README'], page.parent)
        return f'[{self.collection["Contents"]}]({Path(target).as_posix()})'

    def published(self, setting: str) -> str:
        """Published R1 and mAP of one setting, as they were printed."""
        figures = [f for f in self.collection['Published']['Figures'] if f['Setting'] == setting]
        named = len(figures) > 1
        return '; '.join(f'{f["Name"]} ' * named + f'{f["R1"]:g} / {f["mAP"]:g}' for f in figures)

    def configs(self, rows: Rows) -> list[str]:
        """Its configs with a row: those of the metafile in their order, then others by name."""
        there = {config for config, _ in rows}
        mine = {config for config in there if config.startswith(f'{self.folder}/')}
        mine |= there & {self.baseline}
        order = [self.baseline, *(model['Config'] for model in self.models), *sorted(mine)]
        return [config for config in dict.fromkeys(order) if config in mine]

    def updated(self, by_size: dict[str, Rows]) -> str:
        """The metafile with the results of some rows; models without any stay as they are."""
        models = {model['Config']: model for model in self.models}
        for rows in by_size.values():
            for config in self.configs(rows):
                if config.startswith(f'{self.folder}/'):
                    models.setdefault(config, {})
        for config in models:
            found = [
                rows[config, rule]
                for rows in by_size.values()
                for rule in RULES
                if (config, rule) in rows
            ]
            if found:
                models[config] = self._entry(config, found)
        content = self.content | dict(Models=list(models.values()))
        return dump(content)

    def _entry(self, config: str, rows: Sequence[Row]) -> dict[str, Any]:
        seeds = sorted({seed for row in rows for seed in row.seeds})
        rules = {line['rules'] for row in rows for line in row.lines}
        rule = rules.pop() if len(rules) == 1 else 'both'
        command = (
            f'python tools/benchmark.py {config} --rules {rule} --seeds {" ".join(map(str, seeds))}'
        )
        return dict(
            Name=Path(config).stem,
            **{'In Collection': self.collection['Name']},
            Config=config,
            Metadata=dict(Command=command, Selection='last epoch'),
            Results=[self._result(row) for row in rows],
        )

    @staticmethod
    def _result(row: Row) -> dict[str, Any]:
        line = row.lines[0]
        protocol, data = line['protocol'], line['protocol'].get('test_data') or {}
        trials = f'{protocol["gallery"]} galleries, {protocol["num_trials"]} trials'
        return dict(
            Task='Visible-infrared person re-identification',
            Dataset=f'rendered ({data.get("size")}, seed {data.get("seed")})',
            Protocol=f'{row.setting}, {trials}',
            Rules=row.column,
            Test=row.test_rule,
            Commit=', '.join(sorted({line['commit'] for line in row.lines})),
            Seed=', '.join(map(str, row.seeds)) + ' (mean)' * (len(row.seeds) > 1),
            Metrics={name: round(float(row.of_seeds(name).mean()), 2) for name in FIGURES},
        )


def dump(content: dict) -> str:
    """YAML as the metafiles have it: lists are indented, lines are not broken."""

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False):
            return super().increase_indent(flow, False)

    options = dict(sort_keys=False, allow_unicode=True, width=10000)
    return yaml.dump(content, Dumper=Dumper, **options)


class Pages:
    """All pages with tables, and all metafiles.

    Args:
        root: Of the project.
        lines: Of its results.
    """

    def __init__(self, root: Path, lines: Iterable[dict]) -> None:
        self.root, self.lines = root, list(lines)
        found = [*sorted(root.glob('configs/*/metafile.yml'))]
        found += sorted(root.glob('projects/*/metafile.yml'))
        self.methods = {path.parent.name: Method(path, root) for path in found}
        self.rows = {size: rows_of(self.lines, size) for size in SIZES}
        self._experiments = {(size, ''): rows for size, rows in self.rows.items()}

    def outdated(self) -> dict[Path, str]:
        """What files have to say instead of what they say, by path."""
        readmes = ['README.md', 'docs/*.md', 'configs/*/README.md', 'projects/*/README.md']
        pages = {path for pattern in readmes for path in self.root.glob(pattern)}
        texts = {path: self.filled(read_text(path), path) for path in sorted(pages)}
        texts |= {method.path: method.updated(self.rows) for method in self.methods.values()}
        return {path: text for path, text in texts.items() if text != read_text(path)}

    def filled(self, text: str, path: Path) -> str:
        """The text of a page with the tables that belong between its marks."""

        def fill(match: re.Match) -> str:
            begin, name, size, end = match.groups()
            return f'{begin}\n{self.table(name, size, path)}\n\n{end}'

        def fill_pairs(match: re.Match) -> str:
            begin, size, pairs, end = match.groups()
            return f'{begin}\n{self.pairs(pairs.splitlines(), size, path)}\n\n{end}'

        return PAIRED.sub(fill_pairs, MARKED.sub(fill, text))

    def pairs(self, asked: Sequence[str], size: str, path: Path) -> str:
        """Differences of any two configs or experiments, under all rules that both were run by.

        Args:
            asked: ``'NAME minus NAME'`` each, names as in :data:`PAIRED`.
            size: Of the rendered data.
            path: The page, for the message.

        Raises:
            ValueError: If nothing was run of a pair.
        """
        found = []
        for pair in asked:
            name, _, other = pair.partition(' minus ')
            rows, bases = self._by_rules(name, size), self._by_rules(other, size)
            both = [(name, other, rows[r], bases[r]) for r in RULES if r in rows and r in bases]
            if not both:
                raise InvalidValueError(
                    f'Pages: {path} asks for {pair!r} of {size!r}, expected `NAME minus NAME` of '
                    'two configs or experiments (NAME@VARIANT) with lines by the same rules.'
                )
            found += both
        return f'{pairs_table(found)}\n\n{caption(row for pair in found for row in pair[2:])}'

    def _by_rules(self, name: str, size: str) -> dict[str, Row]:
        """The rows of a config's or an experiment's name, by rules."""
        stem, _, variant = name.partition('@')
        if (size, variant) not in self._experiments:
            self._experiments[size, variant] = rows_of(self.lines, size, variant)
        rows = self._experiments[size, variant]
        return {rule: row for (config, rule), row in rows.items() if Path(config).stem == stem}

    def table(self, name: str, size: str, path: Path) -> str:
        """What stands between two marks.

        Args:
            name: A folder of configs, or a table of all of them: ``'summary'`` (method and
                baseline, by all rules), ``'methods'`` (a line each) or ``'published'``.
            size: Of the rendered data.
            path: The page, for the message.

        Raises:
            ValueError: If there is no such folder or size.
        """
        if size not in SIZES or name not in (*OF_ALL, *self.methods):
            raise InvalidValueError(
                f'Pages: {path} has a mark for {name!r} and {size!r}, expected one of '
                f'{[*OF_ALL, *self.methods]} and one of {[*SIZES]}.'
            )
        rows = self.rows[size]
        if name == 'summary':
            return self._summary(rows)
        if name in OF_ALL:
            return self._methods(rows, path) if name == 'methods' else self._published(path)
        method = self.methods[name]
        configs = method.configs(rows)
        if not configs:
            return NOTHING
        parts = [figures_table(rows, configs)]
        if method.baseline in configs:
            parts.append(differences_table(rows, configs, method.baseline))
        parts.append(caption(row for (config, _), row in rows.items() if config in configs))
        return '\n\n'.join(filter(None, parts))

    def _summary(self, rows: Rows) -> str:
        """Each method that was run, and its baseline, under all rules."""
        head = [
            f'{WORDS[rule]}: {what}' for rule in RULES for what in ('R1 / mAP', 'gain in R1; mAP')
        ]
        table, shown = [['method', 'config', *head]], []
        for method in self.methods.values():
            if not any((method.full, rule) in rows for rule in RULES):
                continue
            for config in filter(None, (method.baseline, method.full)):
                found = [rows.get((config, rule)) for rule in RULES]
                bases = [rows.get((method.baseline, rule)) for rule in RULES]
                if not any(found):
                    continue
                cells = [c for row, base in zip(found, bases) for c in _cells(row, base)]
                table.append([method.collection['Name'], f'`{Path(config).stem}`', *cells])
                shown += filter(None, found)
        return f'{markdown(table)}\n\n{caption(shown)}' if shown else NOTHING

    def _methods(self, rows: Rows, page: Path) -> str:
        """A line for each method: its figures as published rules have them, and its gain."""
        table = [['method', 'paper', 'R1 / mAP', 'gain in R1; mAP']]
        shown = []
        for method in self.methods.values():
            row, base = (rows.get((c, 'published')) for c in (method.full, method.baseline))
            table.append([method.link(page), method.paper, *_cells(row, base)])
            shown += filter(None, (row, base))
        return f'{markdown(table)}\n\n{caption(shown) if shown else NOTHING}'

    def _published(self, page: Path) -> str:
        """The figures of the papers, with the rules that they were made by."""
        settings = {
            figure['Setting']: None
            for method in self.methods.values()
            for figure in method.collection['Published']['Figures']
        }
        table = [['method', 'paper', *settings, 'by these rules']]
        for method in self.methods.values():
            figures = [method.published(setting) for setting in settings]
            rules = method.collection['Published']['Rules']
            table.append([method.link(page), method.paper, *figures, rules])
        return markdown(table)


def _cells(row: Row | None, baseline: Row | None) -> list[str]:
    if row is None:
        return ['', '']
    is_other = baseline is not None and baseline is not row
    return [row.figures, '; '.join(differences(row, baseline)) if is_other else '']
