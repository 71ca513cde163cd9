import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip('pymilvus')
pytest.importorskip('milvus_lite')


MODEL = ['colors.py', 'colors.pth']


@pytest.fixture
def tool(load_tool, color_inferencer, monkeypatch):
    """The tool, with a model that takes no time; ``tool.opened`` says which it opened."""
    tool, inferencer = load_tool('gallery.py'), color_inferencer()
    tool.opened = []
    monkeypatch.setattr(
        tool, 'ReIDInferencer', lambda *model, **options: tool.opened.append(model) or inferencer
    )
    return tool


@pytest.fixture
def crops(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'crops').mkdir()
    for at in range(3):
        cv2.imwrite(
            str(tmp_path / f'crops/{at}.png'), rng.integers(0, 256, (40, 20, 3), dtype=np.uint8)
        )
    (tmp_path / 'crops/cut.jpg').write_bytes(b'\xff\xd8\xff')
    return tmp_path / 'crops'


def test_add_search_info_and_remove(tool, crops, tmp_path, capsys):
    model, database = MODEL, str(tmp_path / 'gallery.db')

    def run(action, *arguments):
        tool.main([action, database, *map(str, arguments)])
        return capsys.readouterr()

    said = run('add', *model, crops, '--modality', 'visible', '--camera', 4)
    assert '3 pictures added, 0 were there, 1 cannot be read; ' in said.out
    assert 'left out: ' in said.err and 'cut.jpg' in said.err
    query, picture = crops / '1.png', tmp_path / 'ranked.png'
    said = run('search', *model, query, '--modality', 'visible', '-k', 2, '--out', picture)
    lines = said.out.splitlines()
    assert lines[0] == str(query) and len(lines) == 6
    assert lines[3].split()[:3] == ['1', '1.0000', '4'] and lines[3].endswith(f'  {query}')
    drawn = cv2.imread(str(picture))
    assert drawn.shape[0] > 100
    options = ['--modality', 'infrared', '--cameras', '4', '--after', '1999-02-02', '--json']
    found = json.loads(run('search', *model, query, *options).out)
    assert [match['camera_id'] for match in found[str(query)]] == [4, 4, 4]

    assert json.loads(run('info', '--json').out)['pictures'] == 3
    assert 'visible by camera     4: 3' in run('info').out
    assert '1 of 2 pictures removed; ' in run('remove', query, crops / 'none.png').out
    assert 'pictures              2' in run('info').out

    with pytest.raises(SystemExit):
        run('search', *model, query, '--before', 'noon')
    assert 'expected a date such as' in capsys.readouterr().err
    assert set(tool.opened) == {tuple(MODEL)}


def test_another_model_is_refused(tool, crops, tmp_path, monkeypatch):
    start = ['add', str(tmp_path / 'gallery.db'), *MODEL]
    tool.main([*start, str(crops / '1.png'), '--modality', 'visible'])
    source = dict(config='other.py', checksum='0' * 64)
    monkeypatch.setattr(tool, 'ReIDInferencer', lambda *_, **__: SimpleNamespace(source=source))
    for action in ('add', 'search'):
        with pytest.raises(SystemExit, match='gallery: .* has features of colors'):
            tool.main([action, *start[1:], str(crops / '2.png'), '--modality', 'visible'])


def test_what_to_add_is_said_once(tool, crops, tmp_path):
    for rest in ([], [str(crops), '--split', 'test']):
        with pytest.raises(SystemExit, match='either pictures to add, or --split'):
            tool.main(['add', str(tmp_path / 'gallery.db'), *MODEL, *rest])
    assert not (tmp_path / 'gallery.db').exists()


def test_a_traceback_is_shown_where_it_is_asked_for(tool, tmp_path):
    asked = ['info', str(tmp_path / 'none.db')]
    with pytest.raises(SystemExit, match='gallery: Gallery: .*none.db.*does not exist'):
        tool.main(asked)
    with pytest.raises(FileNotFoundError):
        tool.main([*asked, '--traceback'])
