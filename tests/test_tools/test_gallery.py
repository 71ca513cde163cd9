import json

import cv2
import numpy as np
import pytest

pytest.importorskip('pymilvus')
pytest.importorskip('milvus_lite')


@pytest.fixture
def tool(load_tool):
    return load_tool('gallery.py')


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


def test_add_search_info_and_remove(tool, saved, crops, tmp_path, capsys):
    model, database = saved('agw/agw_synthetic.py'), str(tmp_path / 'gallery.db')

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

    other = saved('agw/agw_synthetic.py', lambda state: state['neck.bn.running_var'].add_(1))
    with pytest.raises(SystemExit, match='gallery: .* has features of agw_synthetic'):
        run('search', *other, query, '--modality', 'visible')
    with pytest.raises(SystemExit):
        run('search', *model, query, '--before', 'noon')
    assert 'expected a date such as' in capsys.readouterr().err
