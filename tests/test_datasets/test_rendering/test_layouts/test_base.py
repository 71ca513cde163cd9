import pytest

from mmvireid.datasets.rendering.layouts.base import Layout, spread, write_lines


class Empty(Layout):
    def shots(self):
        return []

    test_shots = shots

    def write_index(self, root):
        pass


@pytest.mark.parametrize('number', [1, 5, 40])
def test_identities_are_drawn_once_and_with_gaps(number):
    ids = Empty('tiny', 0).draw_ids(number)
    assert len(set(ids)) == number == len(ids) and min(ids) >= 1
    assert max(ids) <= number + number // 12
    assert ids == Empty('full', 0).draw_ids(number)
    if number > 1:
        assert ids != Empty('tiny', 1).draw_ids(number)


def test_pictures_are_shared_evenly():
    for total in range(9):
        for number in range(1, 5):
            shares = spread(total, number)
            assert sum(shares) == total and len(shares) == number
            assert max(shares) - min(shares) <= 1 and shares == sorted(shares, reverse=True)


def test_lines_are_written_below_new_folders(tmp_path):
    write_lines(tmp_path / 'idx/a.txt', ['one', 'zwei, größer'])
    assert (tmp_path / 'idx/a.txt').read_bytes().decode() == 'one\nzwei, größer\n'
