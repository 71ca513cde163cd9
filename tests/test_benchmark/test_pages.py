"""Pages of a small project, and those of this one."""

from pathlib import Path

import pytest
import yaml

from mmvireid.benchmark import Cell, config_hash, final_config, read_lines
from mmvireid.benchmark.cells import SIZES
from mmvireid.benchmark.pages import Pages, dump
from mmvireid.benchmark.table import rows_of
from mmvireid.evaluation.protocols import LLCMProtocol, RegDBProtocol, SYSUProtocol

ROOT = Path(__file__).parents[2]
BASE, FULL = 'configs/a/a-base_synthetic.py', 'configs/a/a_synthetic.py'
MARK = '<!-- benchmark: {} small -->\nold\n<!-- end of benchmark -->\n'


@pytest.fixture
def project(tmp_path):
    (tmp_path / 'configs/a').mkdir(parents=True)
    metafile = dict(
        Collections=[
            dict(
                Name='A-Net',
                Contents='A-Net, and more',
                Paper=dict(Title='A', Authors='Au et al.', Venue='CVPR', Year=2020),
                Published=dict(
                    Rules='no flip',
                    Figures=[
                        dict(Name='A', Setting='sysu/all-1shot', R1=50.5, mAP=40.25),
                        dict(Name='A+', Setting='sysu/all-1shot', R1=60.5, mAP=50.25),
                        dict(Name='A', Setting='llcm/infrared-to-visible', R1=1.5, mAP=2.25),
                    ],
                ),
                README='configs/a/README.md',
                Metadata=dict(Full=FULL, Baseline=BASE),
            )
        ],
        Models=[
            dict(Name='a_synthetic', Config=FULL, Results=[dict(Metrics=dict(R1=1.0))]),
            dict(Name='a_sysu', Config='configs/a/a_sysu.py', Note='by hand'),
        ],
    )
    (tmp_path / 'configs/a/metafile.yml').write_text(dump(metafile))
    (tmp_path / 'configs/a/README.md').write_text(f'# A\n\n{MARK.format("a")}\nBye\n')
    (tmp_path / 'docs').mkdir()
    for page in ('README.md', 'docs/methods.md'):
        (tmp_path / page).write_text(f'# All\n\n{MARK.format("summary")}\nBye\n')
    return tmp_path


@pytest.fixture
def lines(make_line):
    return [
        make_line(config, r1, seed) for config, r1 in ((BASE, 40), (FULL, 50)) for seed in range(2)
    ]


def update(project, lines):
    for path, text in Pages(project, lines).outdated().items():
        path.write_text(text)


def test_tables_are_made_between_their_marks(project, lines):
    update(project, lines)
    text = (project / 'configs/a/README.md').read_text()
    assert text.startswith('# A\n\n<!-- benchmark: a small -->\n') and text.endswith('\nBye\n')
    assert 'old' not in text
    assert '| `a-base_synthetic` |' in text and '| minus `a-base_synthetic` |' in text
    summary = (project / 'README.md').read_text()
    rows = [line for line in summary.splitlines() if line.startswith('| A-Net |')]
    assert [row.split('|')[2].strip() for row in rows] == ['`a-base_synthetic`', '`a_synthetic`']
    assert '; ' in rows[1] and '; ' not in rows[0]  # only the full method has a gain


def test_a_method_of_which_only_the_baseline_was_run_has_no_line(project, lines):
    table = Pages(project, lines[:2]).table('summary', 'small', project / 'README.md')
    assert table == 'Nothing has been run yet.'


PAIRS = '<!-- differences: small\n{}-->\nold\n<!-- end of differences -->\n'


def test_two_configs_or_experiments_are_compared_where_a_page_asks(project, lines, make_line):
    page = project / 'configs/a/README.md'
    asked = 'a_synthetic minus a-base_synthetic\na_synthetic@long minus a_synthetic\n'
    page.write_text(PAIRS.format(asked))
    long = make_line(FULL, 55, variant='long', options=dict(a=1))
    update(project, [*lines, make_line(FULL, rules='equal'), long])
    text = page.read_text()
    assert text.startswith(f'<!-- differences: small\n{asked}-->\n\n| config |')
    assert 'old' not in text and 'equal terms' not in text  # the baseline has none
    rows = [line.strip('| ').split(' | ') for line in text.splitlines() if '| `a' in line]
    assert [row[:3] for row in rows] == [
        ['`a_synthetic`', '`a-base_synthetic`', 'as published'],
        ['`a_synthetic@long`', '`a_synthetic`', 'as published'],
    ]
    assert [row[-1] for row in rows] == ['2', '1 and 2']
    r1 = long['trials']['sysu/all-1shot']['R1'][0]
    assert rows[1][3].startswith(f'{r1:.2f} / ')
    mean = sum(line['trials']['sysu/all-1shot']['R1'][0] for line in lines[2:]) / 2
    assert rows[1][5].strip('*').startswith(f'{r1 - mean:+.2f} [')
    assert '5 trainings and tests' in text  # of two pairs, which share a row


@pytest.mark.parametrize('pair', ['a_synthetic minus b', 'a_synthetic', 'a@x minus a_synthetic'])
def test_a_pair_of_which_nothing_was_run_is_named(project, lines, pair):
    page = project / 'configs/a/README.md'
    page.write_text(PAIRS.format(f'{pair}\n'))
    with pytest.raises(ValueError, match=f"{page} asks for '{pair}' of 'small', expected"):
        Pages(project, lines).outdated()


def test_what_was_made_is_not_outdated(project, lines):
    update(project, lines)
    assert Pages(project, lines).outdated() == {}


@pytest.mark.parametrize(
    'name', ['README.md', 'docs/methods.md', 'configs/a/README.md', 'configs/a/metafile.yml']
)
def test_a_figure_changed_by_hand_is_found(project, lines, name):
    update(project, lines)
    page = project / name
    figure = next(
        f'{value:.2f}'
        for value in yaml.safe_load((project / 'configs/a/metafile.yml').read_text())['Models'][0][
            'Results'
        ][0]['Metrics'].values()
    )
    assert figure in page.read_text()
    page.write_text(page.read_text().replace(figure, '99.99'))
    assert list(Pages(project, lines).outdated()) == [page]


def test_a_method_has_one_line_with_its_gain(project, lines):
    table = Pages(project, lines).table('methods', 'small', project / 'docs/page.md')
    _, _, row, _, text = table.splitlines()
    cells = [cell.strip() for cell in row.strip('|').split('|')]
    assert cells[:2] == ['[A-Net, and more](../configs/a/README.md)', 'Au et al., CVPR 2020']
    full, base = (
        [line['trials']['sysu/all-1shot']['R1'] for line in part] for part in (lines[2:], lines[:2])
    )
    mean, gain = (sum(map(sum, full)) / 6, (sum(map(sum, full)) - sum(map(sum, base))) / 6)
    assert cells[2].startswith(f'{mean:.2f} ± ')
    assert cells[3].strip('*').startswith(f'{gain:+.2f} [')
    assert text.startswith('sysu/all-1shot (seeded galleries, 3 trials)')


def test_published_figures_stand_by_setting_with_their_rules(project):
    table = Pages(project, []).table('published', 'small', project / 'README.md')
    assert table.splitlines() == [
        '| method | paper | sysu/all-1shot | llcm/infrared-to-visible | by these rules |',
        '|---|---|---|---|---|',
        '| [A-Net, and more](configs/a/README.md) | Au et al., CVPR 2020 | A 50.5 / 40.25; '
        'A+ 60.5 / 50.25 | 1.5 / 2.25 | no flip |',
    ]


def test_metafiles_get_the_rows_that_were_run(project, lines):
    update(project, lines)
    content = yaml.safe_load((project / 'configs/a/metafile.yml').read_text())
    models = {model['Name']: model for model in content['Models']}
    assert models['a_sysu']['Note'] == 'by hand'  # no lines: stays
    (result,) = models['a_synthetic']['Results']
    assert result['Rules'] == 'as published' and result['Seed'] == '0, 1 (mean)'
    assert result['Test'] == 'cosine'
    assert result['Protocol'] == 'sysu/all-1shot, seeded galleries, 3 trials'
    mean = sum(line['trials']['sysu/all-1shot']['R1'][0] for line in lines[2:]) / 2
    assert result['Metrics']['R1'] == pytest.approx(mean, abs=0.005)
    command = models['a-base_synthetic']['Metadata']['Command']
    assert command.endswith(f'{BASE} --rules published --seeds 0 1')
    assert content['Collections'][0]['Metadata']['Baseline'] == BASE


def test_a_metafile_commands_the_rules_that_were_run(project, lines, make_line):
    update(project, [*lines, make_line(BASE, rules='equal')])
    content = yaml.safe_load((project / 'configs/a/metafile.yml').read_text())
    commands = {model['Name']: (model.get('Metadata') or {}) for model in content['Models']}
    assert commands['a-base_synthetic']['Command'].endswith(f'{BASE} --rules both --seeds 0 1')
    assert '--rules published' in commands['a_synthetic']['Command']


def test_nothing_that_was_run_is_said(project):
    update(project, [])
    assert 'Nothing has been run yet.' in (project / 'README.md').read_text()
    content = yaml.safe_load((project / 'configs/a/metafile.yml').read_text())
    assert content['Models'][0]['Results'] == [dict(Metrics=dict(R1=1.0))]


@pytest.mark.parametrize('mark', ['b small', 'a huge'])
def test_a_mark_of_nothing_is_named(project, mark):
    page = project / 'README.md'
    page.write_text(f'<!-- benchmark: {mark} -->\n<!-- end of benchmark -->\n')
    with pytest.raises(ValueError, match=f'{page} has a mark for'):
        Pages(project, []).outdated()


LINES = read_lines(ROOT / 'configs/benchmark/results.jsonl')


def test_every_table_of_this_project_says_what_its_lines_say():
    outdated = Pages(ROOT, LINES).outdated()
    assert not outdated, f'python tools/benchmark.py --update: {[*map(str, outdated)]}'


@pytest.mark.parametrize('config', sorted({line['config'] for line in LINES}))
def test_the_rows_of_this_project_are_of_its_configs_as_they_stand(config, monkeypatch):
    monkeypatch.chdir(ROOT)
    for size in SIZES:
        for (_, rules), row in rows_of([x for x in LINES if x['config'] == config], size).items():
            now = config_hash(final_config(Cell(config, rules, size)))
            assert {line['config_hash'] for line in row.lines} == {now}, (rules, size)


def test_published_figures_are_those_of_the_readmes():
    known = {
        *SYSUProtocol(modes=['all', 'indoor'], shots=[1, 10]).setting_names,
        *RegDBProtocol().setting_names,
        *LLCMProtocol().setting_names,
    }
    for method in Pages(ROOT, []).methods.values():
        readme = (ROOT / method.collection['README']).read_text()
        assert set(method.collection['Paper']) == {'Title', 'Authors', 'Venue', 'Year'}
        assert method.collection['Published']['Rules'], method.name
        for figure in method.collection['Published']['Figures']:
            assert figure['Setting'] in known, method.name
            for value in (figure['R1'], figure['mAP']):
                assert f'{value:g}' in readme, (method.name, value)


def test_baselines_and_full_methods_exist():
    for method in Pages(ROOT, []).methods.values():
        assert (ROOT / method.full).is_file() and (ROOT / method.baseline).is_file()
