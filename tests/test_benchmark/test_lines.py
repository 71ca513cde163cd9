import json

import pytest

from mmvireid.benchmark import add_line, merge_lines, read_lines, sign


def test_lines_come_back_as_they_were(tmp_path):
    path = tmp_path / 'new' / 'results.jsonl'
    assert read_lines(path) == []
    lines = [add_line(path, dict(name='a', R1=34.5)), add_line(path, dict(name='b', R1=1e-3))]
    assert read_lines(path) == lines
    assert [line['name'] for line in lines] == ['a', 'b']


def test_the_hash_does_not_hang_on_the_order_of_keys():
    assert sign(dict(a=1, b=2)) == sign(dict(b=2, a=1))
    assert sign(sign(dict(a=1))) == sign(dict(a=1))


def test_a_line_edited_by_hand_is_refused(tmp_path):
    path = tmp_path / 'results.jsonl'
    for name in 'ab':
        add_line(path, dict(name=name, R1=34.5))
    text = path.read_text()
    first, second = text.splitlines()
    path.write_text(f'{first}\n{second.replace("34.5", "44.5")}\n')
    with pytest.raises(ValueError, match=r'line 2 \(b\) has `line_hash`.*changed after the run'):
        read_lines(path)
    path.write_text(text + json.dumps(dict(name='c')) + '\n')
    with pytest.raises(ValueError, match=r'line 3 \(c\) has `line_hash` None'):
        read_lines(path)


@pytest.mark.parametrize('text', ['{"name": "a", ', '[1, 2]', 'R1 40'])
def test_what_is_no_line_is_refused(tmp_path, text):
    path = tmp_path / 'results.jsonl'
    path.write_text(text + '\n')
    with pytest.raises(ValueError, match=r'results.jsonl, line 1 cannot be read'):
        read_lines(path)


def test_merging_adds_what_is_new_once(tmp_path):
    home, one, other = (tmp_path / name for name in ('home', 'one', 'other'))
    shared = add_line(home, dict(name='shared'))
    for path, names in ((one, ('shared', 'x')), (other, ('x', 'y'))):
        for name in names:
            add_line(path, dict(name=name))
    assert merge_lines(home, [one, other]) == 2
    assert read_lines(home) == [shared, sign(dict(name='x')), sign(dict(name='y'))]
    assert merge_lines(home, [one, other]) == 0


def test_nothing_is_merged_from_a_file_that_was_edited(tmp_path):
    home, one, other = (tmp_path / name for name in ('home', 'one', 'other'))
    add_line(home, dict(name='a'))
    add_line(one, dict(name='b'))
    add_line(other, dict(name='c', R1=10))
    other.write_text(other.read_text().replace('10', '90'))
    before = home.read_text()
    with pytest.raises(ValueError, match='other, line 1'):
        merge_lines(home, [one, other])
    assert home.read_text() == before
