import itertools
from collections import Counter

import pytest
import torch

from mmvireid.models.batches import (
    FAKE,
    check_group_rows,
    combine_codes,
    group_sizes,
    split_singles,
)

#: Images of a pair: real ones, then fakes, which look visible [R>V] or infrared [V>R].
PAIR = ('V', 'R', 'R>V', 'V>R')
#: Prototype and style of the combinations, by sampling.
TABLE = dict(
    original=[('V', 'V'), ('R', 'R')],
    alternate=[
        ('V', 'V'),
        ('R', 'R'),
        ('R>V', 'R>V'),
        ('V>R', 'V>R'),
        ('V', 'R>V'),
        ('R>V', 'V'),
        ('R', 'V>R'),
        ('V>R', 'R'),
    ],
    all=list(itertools.product(PAIR, repeat=2)),
)


def labelled_images(num_pairs, num_unpaired):
    """(kind, person) of every row, and the person of every label."""
    pairs = [f'pair {index}' for index in range(num_pairs)]
    alone = {
        kind: [f'{kind} alone {index}' for index in range(num_unpaired)] for kind in ('V', 'R')
    }
    images = [(kind, person) for kind in ('V', 'R') for person in pairs + alone[kind]]
    images += [(kind, person) for kind in ('R>V', 'V>R') for person in pairs]
    return images, pairs + alone['V'] + alone['R']


def combine(sampling, num_pairs, num_unpaired):
    """(image of the prototype, image of the style, person of the label) of every row."""
    images, people = labelled_images(num_pairs, num_unpaired)
    rows = zip(*(part.tolist() for part in combine_codes(sampling, num_pairs, num_unpaired)))
    return [(images[prototype], images[style], people[who]) for prototype, style, who in rows]


@pytest.mark.parametrize('counts', [(1, 0), (3, 0), (2, 2), (2, 1)])
@pytest.mark.parametrize('sampling', TABLE)
def test_combinations_of_a_pair_are_those_of_the_table(sampling, counts):
    rows = combine(sampling, *counts)
    for pair in range(counts[0]):
        found = [(p[0], s[0]) for p, s, who in rows if who == f'pair {pair}']
        assert sorted(found) == sorted(TABLE[sampling])
    assert len(rows) == counts[0] * len(TABLE[sampling]) + 2 * counts[1]


@pytest.mark.parametrize('counts', [(1, 0), (4, 0), (2, 2), (1, 3)])
@pytest.mark.parametrize('sampling', TABLE)
def test_only_codes_of_the_same_person_are_mixed(sampling, counts):
    for prototype, style, who in combine(sampling, *counts):
        assert prototype[1] == style[1] == who


def test_real_images_of_both_modalities_are_never_mixed_alternately():
    for prototype, style, _ in combine('alternate', 3, 1):
        looks = {image[0][-1] for image in (prototype, style)}
        assert len(looks) == 1


@pytest.mark.parametrize('sampling', TABLE)
def test_single_images_keep_their_own_codes_and_come_last(sampling):
    rows = combine(sampling, 2, 3)
    singles = rows[-6:]
    assert all('alone' not in who for *_, who in rows[:-6])
    assert Counter(who for *_, who in singles) == Counter(
        f'{kind} alone {index}' for kind in 'VR' for index in range(3)
    )
    assert all(prototype == style for prototype, style, _ in singles)


def test_rows_can_index_tensors():
    for part in combine_codes('alternate', 2, 1):
        assert part.dtype == torch.int64
        assert part.shape == (8 * 2 + 2,)
        assert part.device.type == 'cpu'


def test_fakes_are_named_by_what_they_look_like():
    assert [*FAKE.items()] == [('visible', 'fake_visible'), ('infrared', 'fake_infrared')]


@pytest.mark.parametrize('counts', [(1, 0), (3, 0), (2, 2), (2, 1)])
@pytest.mark.parametrize('sampling', TABLE)
def test_a_group_is_of_one_kind(sampling, counts):
    """Groups of images and of rows end just where the kinds change."""
    images, _ = labelled_images(*counts)
    groups = group_sizes(sampling, *counts)
    rows = combine(sampling, *counts)
    kinds = dict(
        images=[(kind, 'alone' in person) for kind, person in images],
        rows=[(p[0], s[0], 'alone' in who) for p, s, who in rows],
    )
    if sampling == 'original':
        kinds['images'] = kinds['images'][: 2 * sum(counts)]  # there are no fakes
    for name, listed in kinds.items():
        runs = [len([*run]) for _, run in itertools.groupby(listed)]
        assert list(getattr(groups, name)) == runs
    assert sum(groups.real) == sum(counts)
    assert groups.real == groups.images[: len(groups.real)]


def test_unknown_sampling_is_named():
    with pytest.raises(
        ValueError, match="combine_codes: `sampling` is 'none', .*'alternate', 'all'"
    ):
        combine_codes('none', 2)


def test_single_images_are_those_that_the_table_counts():
    """Rows of the images, and the table's people, name the same persons."""
    people = torch.arange(7)
    images = dict(visible=people + 10, infrared=people + 20)
    pairs, with_singles = split_singles(images, num_unpaired=2)
    assert {key: value.tolist() for key, value in pairs.items()} == dict(
        visible=[10, 11, 12], infrared=[20, 21, 22]
    )
    stacked = torch.cat([with_singles['visible'], with_singles['infrared']])
    table = combine_codes('original', num_pairs=3, num_unpaired=2)
    assert torch.equal(stacked[table.prototypes] % 10, table.people)
    assert stacked[table.prototypes][-4:].tolist() == [13, 14, 25, 26]


def test_all_pairs_stay_without_single_images():
    images = dict(visible=torch.rand(3, 2), infrared=torch.rand(3, 2))
    for part in split_singles(images, num_unpaired=0):
        assert all(torch.equal(part[key], images[key]) for key in images)


def test_a_batch_without_a_pair_left_is_refused():
    images = dict(visible=torch.rand(4, 2), infrared=torch.rand(4, 2))
    with pytest.raises(ValueError, match='`num_unpaired` is 2, expected less than half of the 4'):
        split_singles(images, num_unpaired=2)


def test_a_group_of_one_row_is_refused():
    groups = group_sizes('alternate', num_pairs=2, num_unpaired=2)
    assert check_group_rows(groups) is groups
    for counts in ((1, 0), (3, 1), (1, 3)):
        with pytest.raises(ValueError, match='`group_passes` is True with groups of 1 image'):
            check_group_rows(group_sizes('alternate', *counts))
