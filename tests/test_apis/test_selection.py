from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmvireid.apis import ImageKind, choose_images, keep_images, load_split, make_caption
from mmvireid.structures import ReIDDataSample

CONFIG = str(Path(__file__).parents[2] / 'configs/agw/agw_synthetic.py')

#: Two images of everyone by every camera (3 and 6 are infrared), but person 7 by camera 6 alone,
#: and nobody but person 9 by camera 4.
SEEN = [
    *product((3, 5, 8, 9, 11), (1, 2, 3, 6)),
    (7, 6),
    (9, 4),
]


class Listing:
    """The part of a data set that says which images there are."""

    def __init__(self, seen=SEEN):
        self.rows = [
            dict(
                person_id=person_id,
                camera_id=camera_id,
                modality='infrared' if camera_id in (3, 6) else 'visible',
            )
            for person_id, camera_id in seen
            for _ in range(2)
        ]

    def __len__(self):
        return len(self.rows)

    def get_data_info(self, index):
        return dict(self.rows[index])

    def get_subset_(self, indices):
        self.rows = [self.rows[index] for index in indices]

    def facts(self, indices):
        return [tuple(self.rows[index].values()) for index in indices]


def choose(kinds, person_ids=None, num_ids=3, seed=0, besides=()):
    dataset = Listing()
    rng = np.random.default_rng(seed)
    chosen = choose_images(dataset, kinds, person_ids, num_ids, rng, besides)
    return [dataset.facts(indices) for indices in chosen]


@pytest.mark.parametrize('split', ['test', 'train'])
def test_images_are_loaded_as_for_a_test(shrink, split):
    cfg = shrink(CONFIG)
    cfg.train_dataloader.dataset.cache = 'ram'
    dataset = load_split(cfg, split)
    assert dataset.split == cfg[f'{split}_dataloader'].dataset.split
    item = dataset[1]  # of a training pipeline it would be a random crop
    image = cv2.resize(cv2.imread(item['data_samples'].img_path), (32, 48))
    np.testing.assert_array_equal(item['inputs'].numpy().transpose(1, 2, 0), image)


def test_asked_people_come_in_the_asked_order_each_with_every_kind():
    kinds = [ImageKind('visible', [1]), ImageKind('infrared')]
    for visible, infrared in zip(*map(list, zip(*choose(kinds, [9, 3, 9])))):
        assert visible[0] == infrared[0]
        assert visible[1:] == (1, 'visible')
        assert infrared[2] == 'infrared'
    assert [images[0][0] for images in choose(kinds, [9, 3, 9])] == [9, 3, 9]


def test_one_of_the_cameras_is_enough():
    """Any of them may be drawn; somebody whom one has not seen is found by the other."""
    drawn = {images[0] for seed in range(30) for images in choose([ImageKind(None, [4, 6])],
                                                                  [7, 9], seed=seed)}  # fmt: skip
    assert drawn == {(7, 6, 'infrared'), (9, 6, 'infrared'), (9, 4, 'visible')}


def test_people_are_drawn_from_those_who_have_every_kind():
    drawn = [choose([ImageKind('visible'), ImageKind('infrared')], seed=seed) for seed in range(30)]
    people = [[images[0][0] for images in found] for found in drawn]
    assert {len(set(ids)) for ids in people} == {3}
    assert all(ids == sorted(ids) for ids in people)
    assert set().union(*people) == {3, 5, 8, 9, 11}  # 7 was seen in infrared only
    cameras = {image[1] for found in drawn for images in found for image in images}
    assert cameras >= {1, 2, 3, 6}
    assert choose([ImageKind('visible')], seed=4) == choose([ImageKind('visible')], seed=4)
    assert len(choose([ImageKind('visible')], num_ids=99)) == 5


def test_some_are_not_drawn_but_may_be_asked_for():
    infrared = [ImageKind('infrared')]
    drawn = {
        images[0][0] for s in range(20) for images in choose(infrared, seed=s, besides=[3, 5, 7])
    }
    assert drawn == {8, 9, 11}
    assert choose(infrared, [5], besides=[3, 5, 7])[0][0][0] == 5
    with pytest.raises(ValueError, match='nobody with an infrared image is left to draw'):
        choose(infrared, besides=[3, 5, 7, 8, 9, 11])


@pytest.mark.parametrize(
    ('kinds', 'person_ids', 'message'),
    [
        ([ImageKind()], [4], r'has 4, expected people with an image: 3, 5, 7, .*Of 4 there is no'),
        (
            [ImageKind('visible')],
            [3, 7],
            r'has 7, .* a visible image: 3, 5, 8, .* Of 7 there is infrared by the cameras \[6\]',
        ),
        (
            [ImageKind(None, [4])],
            [3],
            r'has 3, expected people with an image of one of the cameras \[4\]: 9. Of 3 there is '
            r'visible by the cameras \[1, 2\] and infrared by the cameras \[3, 6\]',
        ),
        (
            [ImageKind('visible', [1, 3])],
            None,
            r'`cameras` has \[3\], expected some of \[1, 2, 4\]',
        ),
        ([ImageKind(None, [0])], [3], r'`cameras` has \[0\], expected some of \[1, 2, 3, 4, 6\]'),
    ],
)
def test_what_there_is_is_named(kinds, person_ids, message):
    with pytest.raises(ValueError, match=f'choose_images: .*{message}'):
        choose(kinds, person_ids)


@pytest.mark.parametrize(
    ('person_ids', 'cameras'), [(None, None), ([9, 3], None), (None, [6, 1]), ([3, 7], [6, 2])]
)
def test_kept_images_are_those_of_a_loop(person_ids, cameras):
    dataset, expected = Listing(), []
    for row in dataset.rows:
        if person_ids and row['person_id'] not in person_ids:
            continue
        if cameras and row['camera_id'] not in cameras:
            continue
        expected.append(row)
    keep_images(dataset, person_ids, cameras)
    assert dataset.rows == expected


@pytest.mark.parametrize(
    ('person_ids', 'cameras', 'message'),
    [
        ([3, 4], None, r'`person_ids` has \[4\], expected some of 3, 5, 7'),
        (None, [5], r'`cameras` has \[5\], expected some of \[1, 2, 3, 4, 6\]'),
        ([7], [1, 2], r'`cameras` is \[1, 2\], expected some that saw one of `person_ids`, \[7\]'),
    ],
)
def test_nothing_to_keep_is_named(person_ids, cameras, message):
    with pytest.raises(ValueError, match=f'keep_images: {message}'):
        keep_images(Listing(), person_ids, cameras)


def test_captions_name_person_and_camera():
    sample = ReIDDataSample(person_id=12, camera_id=6, modality='infrared', gt_label=-1)
    assert make_caption(sample) == 'id 12, cam 6'
