"""Tables of the lines: what a method scored, and by how much it differs from its baseline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mmvireid.evaluation.comparison import Comparison, compare, in_points
from mmvireid.evaluation.query_results import IdentityScores

from .cells import RULES

#: The figures of a table, and the words for the rules.
FIGURES = ('R1', 'mAP', 'mINP')
WORDS = dict(published='as published', equal='equal terms')


@dataclass(frozen=True, eq=False)
class Row:
    """The trainings of one config under one set of rules.

    Args:
        lines: One for each seed, ascending.
    """

    lines: Sequence[dict]

    @property
    def setting(self) -> str:
        """The setting that the tables show: the first one of the protocol."""
        return self.lines[0]['identities']['setting']

    @property
    def seeds(self) -> list[int]:
        """Of the trainings."""
        return [line['seed'] for line in self.lines]

    @property
    def test_rule(self) -> str:
        """How features were compared, in a few words: ``'cosine, mirrored images'``."""
        protocol = self.lines[0]['protocol']
        words = [protocol['distance'], 'mirrored images', 're-ranked']
        said = [True, protocol['flip'], protocol['rerank']]
        return ', '.join(word for word, is_so in zip(words, said) if is_so)

    def of_seeds(self, figure: str) -> np.ndarray:
        """A figure of every seed, mean over trials, in percent."""
        return np.array([np.mean(line['trials'][self.setting][figure]) for line in self.lines])

    def cell(self, figure: str) -> str:
        """Mean and standard deviation over seeds."""
        values = self.of_seeds(figure)
        spread = f' ± {values.std(ddof=1):.2f}' if len(values) > 1 else ''
        return f'{values.mean():.2f}{spread}'

    @property
    def figures(self) -> str:
        """R1 and mAP as one cell."""
        return ' / '.join(self.cell(figure) for figure in ('R1', 'mAP'))

    @property
    def column(self) -> str:
        """What tables call its rules."""
        return WORDS[self.lines[0]['rules']]

    def against(self, baseline: 'Row') -> Comparison:
        """How it compares with its baseline."""
        first, second = (
            [IdentityScores.from_dict(line['identities']) for line in row.lines]
            for row in (baseline, self)
        )
        return compare(first, second)


def rows_of(lines: Iterable[dict], size: str, variant: str = '') -> dict[tuple[str, str], Row]:
    """Sort lines into the rows of a size of data, by config and rules.

    Where a config has changed between two runs, those of the newest line's count.

    Args:
        lines: In the order in which they were written.
        size: ``'small'`` or ``'benchmark'``.
        variant: Name of an experiment, or none for the configs as they stand.
    """
    groups = {}
    for line in lines:
        if line['variant'] == variant and line['size'] == size:
            groups.setdefault((line['config'], line['rules']), []).append(line)
    rows = {}
    for key, group in groups.items():
        newest = group[-1]['config_hash']
        by_seed = {line['seed']: line for line in group if line['config_hash'] == newest}
        rows[key] = Row([by_seed[seed] for seed in sorted(by_seed)])
    return rows


def figures_table(rows: dict[tuple[str, str], Row], configs: Sequence[str]) -> str:
    """What each config scored, under each of the rules.

    Args:
        rows: From :func:`rows_of`.
        configs: Their order; those without a row are left out.
    """
    rules = [rule for rule in RULES if any((config, rule) in rows for config in configs)]
    head = [f'{WORDS[rule]}: {name}' for rule in rules for name in FIGURES]
    table = [['config', *head]]
    for config in configs:
        if any((config, rule) in rows for rule in rules):
            found = [rows.get((config, rule)) for rule in rules]
            cells = [row.cell(name) if row else '' for row in found for name in FIGURES]
            table.append([f'`{Path(config).stem}`', *cells])
    return markdown(table)


def differences_table(
    rows: dict[tuple[str, str], Row], configs: Sequence[str], baseline: str
) -> str:
    """By how much each config differs from a baseline; bold where the interval excludes 0.

    Args:
        rows: From :func:`rows_of`.
        configs: Their order; those without a row are left out.
        baseline: The config that they are compared with.
    """
    others = [config for config in configs if config != baseline]
    rules = [
        rule
        for rule in RULES
        if (baseline, rule) in rows and any((config, rule) in rows for config in others)
    ]
    head = [f'{WORDS[rule]}: {name}' for rule in rules for name in ('R1', 'mAP')]
    table = [[f'minus `{Path(baseline).stem}`', *head]]
    for config in others:
        cells = []
        for rule in rules:
            row = rows.get((config, rule))
            cells += differences(row, rows[baseline, rule]) if row else ['', '']
        if any(cells):
            table.append([f'`{Path(config).stem}`', *cells])
    return markdown(table) if len(table) > 1 else ''


def pairs_table(pairs: Sequence[tuple[str, str, Row, Row]]) -> str:
    """What two rows each scored, and by how much they differ; bold where the interval excludes 0.

    Args:
        pairs: Names of two rows, and the rows.
    """
    head = ['config', 'minus', 'rules', 'R1 / mAP', 'of the other', 'difference of R1', 'of mAP']
    table = [[*head, 'trainings']]
    for name, other, row, base in pairs:
        counts = dict.fromkeys(str(len(r.lines)) for r in (row, base))
        cells = [f'`{name}`', f'`{other}`', row.column, row.figures, base.figures]
        table.append([*cells, *differences(row, base), ' and '.join(counts)])
    return markdown(table)


@cache  # several tables show the same
def differences(row: Row, baseline: Row) -> list[str]:
    """Cells with the differences of R1 and mAP."""
    found = row.against(baseline).differences.values()
    return [f'**{in_points(d)}**' if d.is_one else in_points(d) for d in found]


def caption(rows: Iterable[Row]) -> str:
    """How the figures of some rows were measured, of what their lines say."""
    rows = list({id(row): row for row in rows}.values())
    lines = [line for row in rows for line in row.lines]
    protocol, identities = lines[0]['protocol'], lines[0]['identities']
    data = protocol.get('test_data') or {}
    seeds = ', '.join(map(str, sorted({line['seed'] for line in lines})))
    if len({tuple(row.seeds) for row in rows}) > 1:
        seeds += ' (not in every row; one where there is no ±)'
    devices = sorted({line['machine'].get('gpu', line['machine']['cpu']) for line in lines})
    minutes = sum(sum(line['seconds'].values()) for line in lines) / 60
    return (
        f'{identities["setting"]} ({protocol["gallery"]} galleries, {protocol["num_trials"]} '
        f'trials), {data.get("dataset")} `{data.get("size")}`, {len(identities["ids"])} people; '
        f'{_test_rules(rows)}; '
        f'seeds {seeds}, mean ± standard deviation over seeds of the means over trials; '
        f'last epoch; {len(lines)} trainings and tests, {minutes:.0f} minutes one after another, '
        f'on {", ".join(devices)}.'
    )


def _test_rules(rows: Sequence[Row]) -> str:
    """The test rule of each column, and which of its rows have another one."""
    columns = {}
    for row in rows:
        by_rule = columns.setdefault(row.column, {})
        name = f'`{Path(row.lines[0]["config"]).stem}`'
        by_rule.setdefault(row.test_rule, []).append(name)
    texts = {}
    for column, by_rule in columns.items():
        usual, *others = sorted(by_rule, key=lambda rule: -len(by_rule[rule]))
        but = [f' ({rule}: {", ".join(sorted(set(by_rule[rule])))})' for rule in others]
        texts.setdefault(usual + ''.join(but), []).append(column)
    if len(texts) == 1:
        return next(iter(texts))
    return '; '.join(f'{" and ".join(columns)}: {text}' for text, columns in texts.items())


def markdown(table: Sequence[Sequence[str]]) -> str:
    """A table of cells, the first row being its head.

    Example:
        >>> print(markdown([['a', 'b'], ['1', '2']]))
        | a | b |
        |---|---|
        | 1 | 2 |
    """
    lines = [f'| {" | ".join(row)} |' for row in table]
    lines.insert(1, '|---' * len(table[0]) + '|')
    return '\n'.join(lines)
