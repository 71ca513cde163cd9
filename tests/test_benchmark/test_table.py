import re

import numpy as np
import pytest

from mmvireid.benchmark.table import caption, differences_table, figures_table, rows_of

BASE, FULL = 'configs/a/a-base_synthetic.py', 'configs/a/a_synthetic.py'


@pytest.fixture
def lines(make_line):
    scores = {(BASE, 'published'): 40, (FULL, 'published'): 50, (BASE, 'equal'): 45}
    return [
        make_line(config, r1 + seed, seed, rules)
        for (config, rules), r1 in scores.items()
        for seed in (2, 0, 1)
    ]


def test_a_row_has_the_seeds_of_a_config(lines):
    rows = rows_of(lines, 'small')
    assert set(rows) == {(BASE, 'published'), (FULL, 'published'), (BASE, 'equal')}
    row = rows[BASE, 'published']
    assert row.seeds == [0, 1, 2]
    values = [line['trials']['sysu/all-1shot']['R1'][0] for line in row.lines]
    expected = f'{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}'
    assert row.cell('R1') == expected


def test_experiments_and_other_data_are_no_rows(make_line):
    lines = [make_line(BASE, variant='mine'), make_line(FULL, size='benchmark')]
    assert rows_of(lines, 'small') == {}
    assert list(rows_of(lines, 'benchmark')) == [(FULL, 'published')]


def test_a_config_that_has_changed_counts_as_it_is_now(make_line):
    old = [make_line(FULL, 30, seed) for seed in (0, 1, 2)]
    new = [make_line(FULL, 60, 0, config_hash='beef')]
    (row,) = rows_of([*old, *new], 'small').values()
    assert row.seeds == [0] and row.cell('R1').startswith('60.')


def test_a_cell_that_was_run_again_counts_once(make_line):
    (row,) = rows_of([make_line(FULL, 30, 0), make_line(FULL, 60, 0)], 'small').values()
    assert row.seeds == [0] and row.cell('R1').startswith('60.')


def test_figures_stand_in_their_columns(lines):
    rows = rows_of(lines, 'small')
    text = figures_table(rows, [BASE, 'configs/a/nothing.py', FULL]).splitlines()
    assert text[0].startswith('| config | as published: R1 | as published: mAP |')
    assert 'equal terms: R1' in text[0]
    assert len(text) == 4  # head, line, two rows
    cells = [cell.strip() for cell in text[2].split('|')[1:-1]]
    assert cells[0] == '`a-base_synthetic`'
    assert cells[1] == rows[BASE, 'published'].cell('R1')
    assert cells[4] == rows[BASE, 'equal'].cell('R1')
    assert text[3].endswith('|  |  |  |')  # the full config was not run on equal terms


def test_a_difference_that_is_one_is_bold(make_line):
    lines = [make_line(BASE, 40, s) for s in range(3)] + [make_line(FULL, 50, s) for s in range(3)]
    same = 'configs/a/a-same_synthetic.py'
    lines += [make_line(same, 40.2, s, spread=0.1) for s in range(3)]
    text = differences_table(rows_of(lines, 'small'), [BASE, FULL, same], BASE).splitlines()
    assert text[0].startswith('| minus `a-base_synthetic` | as published: R1 |')
    number = r'[+-]\d+\.\d\d'
    assert re.match(rf'\| `a_synthetic` \| \*\*{number} \[{number}, {number}\]\*\* \|', text[2])
    assert '**' not in text[3]


def test_there_is_no_table_of_differences_without_a_baseline(lines):
    rows = rows_of(lines, 'small')
    assert differences_table(rows, [FULL], BASE) != ''
    assert differences_table(rows, [BASE], BASE) == ''


def test_the_caption_says_how_it_was_measured(lines):
    text = caption(rows_of(lines, 'small').values())
    assert 'sysu/all-1shot (seeded galleries, 3 trials), synthetic_sysu `small`, 40 people' in text
    assert 'seeds 0, 1, 2' in text
    assert '9 trainings and tests, 10 minutes' in text  # 9 x 66 s
    assert text.endswith('on a processor.')


def test_the_caption_says_where_seeds_are_missing(make_line):
    rows = rows_of([make_line(BASE, seed=0), make_line(BASE, seed=1), make_line(FULL)], 'small')
    assert 'seeds 0, 1 (not in every row; one where there is no ±)' in caption(rows.values())
    assert '3 trainings' in caption([*rows.values(), *rows.values()])  # a row may be shown twice


def test_the_caption_says_who_was_tested_by_another_rule(make_line):
    lines = [make_line(BASE), make_line(FULL), make_line(FULL, rules='equal')]
    assert '40 people; cosine; seeds 0' in caption(rows_of(lines, 'small').values())
    lines[1]['protocol'] |= dict(flip='unit')
    text = caption(rows_of(lines, 'small').values())
    mirrored = 'as published: cosine (cosine, mirrored images: `a_synthetic`)'
    assert f'; {mirrored}; equal terms: cosine; seeds' in text
