import json
import sys
from pathlib import Path

import pytest


@pytest.fixture
def tool(load_tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load_tool('analysis_tools/report.py')


def test_what_train_and_test_leave_becomes_one_page(tool, saved, load_tool, monkeypatch, capsys):
    """A run of the commands themselves, interrupted and resumed, with features."""
    config, _ = saved('agw/agw_synthetic.py')
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'default_hooks.logger.interval=1']
    train, test = load_tool('train.py').main, load_tool('test.py').main
    train([config, '--work-dir', 'out', *options[:1], 'train_cfg.max_epochs=1', options[2]])
    train([config, '--work-dir', 'out', '--resume', *options, 'experiment_name=resumed'])
    test([config, 'out/epoch_2.pth', '--work-dir', 'out', '--save-features', 'out/features.npz',
          '--cfg-options', 'experiment_name=tested'])  # fmt: skip
    (scalars,) = list(Path('out').glob('*/vis_data/scalars.json'))[:1]
    with open(scalars, 'a') as file:
        file.write('{"loss": 1.0, "st')
    monkeypatch.setattr('mmvireid.reports.separation.tsne', lambda seed: lambda x: x[:, :2])
    capsys.readouterr()
    tool.main(['out', 'out', '--names', 'one', 'same', '--out', 'pages/report.html'])
    said = capsys.readouterr().out
    assert 'is cut short, and left out.' in said and 'pages/report.html: ' in said
    page = Path('pages/report.html').read_text('utf-8')
    assert len(page) < 10_000_000
    for expected in (
        'one was begun 2 times and is shown as one', '>grad_norm<', 'sysu/all-1shot',
        'same and one cannot be told apart', 'id="s9"', 'data:image/jpeg;base64,', 'epoch 2',
    ):  # fmt: skip
        assert expected in page, expected
    for missing in (
        'No features',
        'There are no results',
        'images are not',
        'Nothing is known',
    ):
        assert missing not in page, missing


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (['missing'], "report: read_run: `folder` is 'missing', which is not a folder"),
        (['.'], r"report: read_run: `folder` is '\.', expected a work dir of tools/train\.py"),
        (['empty', '--out', 'empty'], "`path` is 'empty', .*it is a folder"),
        (['empty', '--out', 'file/report.html'], 'cannot be written .file is no folder.'),
        (['empty', 'empty/'], r"`--names` is \['empty', 'empty'\], expected another name for each"),
        (['a', 'b', '--names', 'x', 'x'], r"`--names` is \['x', 'x'\]"),
    ],
)
def test_bad_input_is_one_line(argv, message, tool):
    Path('empty').mkdir()
    Path('file').touch()
    with pytest.raises(SystemExit, match=message) as error:
        tool.main(argv)
    assert '\n' not in str(error.value)
    assert not Path('report.html').exists()


def test_every_run_needs_a_name(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(['a', 'b', '--names', 'x'])
    assert '--names has 1, expected 2' in capsys.readouterr().err


def test_without_plotly_it_says_so_before_it_reads(tool, monkeypatch):
    monkeypatch.setitem(sys.modules, 'plotly', None)
    monkeypatch.setitem(sys.modules, 'plotly.offline', None)
    Path('out').mkdir()
    Path('out/sysu_report.json').write_text(json.dumps({}))
    with pytest.raises(SystemExit, match="plotly, which comes with the extra 'report'"):
        tool.main(['out'])
