from contextlib import nullcontext
from types import SimpleNamespace

import pytest

CONFIG, CHECKPOINT = 'colors.py', 'colors.pth'


@pytest.fixture
def tool(load_tool, monkeypatch):
    """The tool, with what it opens and serves noted in ``tool.calls``."""
    tool = load_tool('web.py')
    tool.calls = {}
    inferencer = SimpleNamespace(model=SimpleNamespace(cfg='its config'))

    def note(name, result):
        return lambda *args, **options: tool.calls.update({name: args}) or result

    monkeypatch.setattr(tool, 'quiet_gradio', lambda: nullcontext('gradio'))
    monkeypatch.setattr(tool, 'ReIDInferencer', note('model', inferencer))
    for name in ('Searcher', 'Evaluation', 'build_page', 'serve'):
        monkeypatch.setattr(tool, name, note(name, name))
    return tool


def test_the_page_is_for_this_machine_only_unless_told_otherwise(tool, monkeypatch):
    monkeypatch.setattr(tool, 'Gallery', lambda address: nullcontext(address))
    tool.main([CONFIG, CHECKPOINT, '--gallery', 'gallery.db'])
    assert tool.calls['model'] == (CONFIG, CHECKPOINT)
    assert tool.calls['Searcher'][0] == 'gallery.db'
    assert tool.calls['build_page'] == ('gradio', 'Searcher', None)
    assert tool.calls['serve'] == ('build_page', '127.0.0.1', None)
    options = '--gallery http://host:19530 --features f.npz --host 0.0.0.0 --port 80'
    tool.main([CONFIG, CHECKPOINT, *options.split()])
    assert tool.calls['Evaluation'] == ('f.npz', 'its config')
    assert tool.calls['build_page'] == ('gradio', 'Searcher', 'Evaluation')
    assert tool.calls['serve'] == ('build_page', '0.0.0.0', 80)


def test_a_gallery_that_is_not_there_is_one_line(tool, tmp_path):
    pytest.importorskip('pymilvus')
    pytest.importorskip('milvus_lite')
    with pytest.raises(SystemExit, match='web: Gallery: .*none.db.*does not exist'):
        tool.main([CONFIG, CHECKPOINT, '--gallery', str(tmp_path / 'none.db')])
    assert 'serve' not in tool.calls
