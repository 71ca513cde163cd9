"""Cached images equal fresh ones, survive their files, and go stale when a file changes."""

import copy
import errno
import logging
import os
import shutil

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmvireid.datasets import SYSUMM01, LoadReIDImage, base_reid_dataset, reid_collate
from mmvireid.datasets.reading import image_cache
from mmvireid.datasets.reading.image_cache import ImageCache

PIPELINE = [{'type': 'LoadReIDImage', 'size': (9, 5)}, {'type': 'PackReIDInputs'}]


@pytest.fixture(params=['ram', 'disk'])
def options(request, tmp_path):
    return {'cache': request.param, 'cache_dir': tmp_path / 'cache'}


def build(root, **options):
    return SYSUMM01(root, 'train', pipeline=PIPELINE, **options)


def images_of(dataset):
    return torch.stack([dataset[index]['inputs'] for index in range(len(dataset))])


def delete_images(root):
    for camera in range(1, 7):
        shutil.rmtree(root / f'cam{camera}')


def test_second_epoch_reads_no_file(sysu_root, options):
    expected = images_of(build(sysu_root))
    dataset = build(sysu_root, **options)
    assert torch.equal(images_of(dataset), expected)
    delete_images(sysu_root)
    assert torch.equal(images_of(dataset), expected)


def test_workers_fill_it_for_everybody(sysu_root, options):
    expected = images_of(build(sysu_root))
    dataset = build(sysu_root, **options)
    loader = DataLoader(dataset, batch_size=4, num_workers=2, collate_fn=reid_collate)
    assert torch.equal(torch.cat([batch['inputs'] for batch in loader]), expected)
    delete_images(sysu_root)
    assert torch.equal(images_of(dataset), expected)


def test_a_pipeline_cannot_change_cached_pixels(sysu_root, options):
    dataset = build(sysu_root, **options)
    first = images_of(dataset)
    dataset.image_cache.read(0, '')[:] = 0
    assert torch.equal(images_of(dataset), first)


def test_copies_and_subsets_share_it(sysu_root, options):
    dataset = build(sysu_root, **options)
    expected = images_of(dataset)
    delete_images(sysu_root)
    assert copy.deepcopy(dataset.image_cache) is dataset.image_cache
    assert torch.equal(images_of(dataset.get_subset([3, 1])), expected[[3, 1]])


def cache_files(folder):
    return sorted(file.name for file in folder.iterdir())


def test_disk_cache_is_found_again(sysu_root, tmp_path):
    expected = images_of(build(sysu_root, cache='disk'))
    again = build(sysu_root, cache='disk')
    assert cache_files(sysu_root / '.image_cache') == [again.image_cache.store.name]
    for path in (sysu_root / 'cam1').rglob('*.png'):
        status = path.stat()
        path.write_bytes(bytes(status.st_size))  # unreadable, but of the same size and time
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert torch.equal(images_of(build(sysu_root, cache='disk')), expected)


def test_a_changed_file_or_setting_gives_another_cache(sysu_root, write_image, tmp_path):
    folder = tmp_path / 'cache'
    options = {'cache': 'disk', 'cache_dir': folder}
    images_of(build(sysu_root, **options))
    write_image(sysu_root / 'cam1' / '0002' / '0001.png', height=30, width=20)
    changed = build(sysu_root, **options)
    assert torch.equal(images_of(changed), images_of(build(sysu_root)))
    assert len(cache_files(folder)) == 2
    for loader in (
        {'size': (9, 6)},
        {'size': (9, 5), 'interpolation': 'area'},
        {'size': (9, 5), 'backend': 'pillow'},
    ):
        pipeline = [{'type': 'LoadReIDImage', **loader}, {'type': 'PackReIDInputs'}]
        dataset = SYSUMM01(sysu_root, 'train', pipeline=pipeline, **options)
        fresh = SYSUMM01(sysu_root, 'train', pipeline=pipeline)
        assert torch.equal(images_of(dataset), images_of(fresh))
    assert len(cache_files(folder)) == 5


@pytest.mark.parametrize('damage', ['cut', 'garbage', 'empty', 'other shape'])
def test_a_damaged_file_is_made_anew(sysu_root, damage):
    dataset = build(sysu_root, cache='disk')
    expected = images_of(dataset)
    path = dataset.image_cache.store
    content = path.read_bytes()
    damaged = {
        'cut': content[: len(content) // 2],
        'garbage': b'x' * len(content),
        'empty': b'',
    }
    if damage == 'other shape':
        np.save(path, np.zeros(3, np.uint8))
    else:
        path.write_bytes(damaged[damage])
    assert torch.equal(images_of(build(sysu_root, cache='disk')), expected)


def test_a_second_process_uses_the_file_of_the_first(sysu_root, tmp_path):
    loader = LoadReIDImage((9, 5))
    names = ['cam1/0002/0001.png']
    first = ImageCache.on_disk(loader, str(sysu_root), names, tmp_path)
    expected = first.read(0, str(sysu_root / names[0]))
    second = ImageCache.on_disk(loader, str(sysu_root), names, tmp_path)
    assert np.array_equal(second.read(0, 'no such file'), expected)


def test_a_folder_that_cannot_be_made(sysu_root, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match=r'ImageCache: `cache_dir` is .*/file/cache'):
        build(sysu_root, cache='disk', cache_dir=tmp_path / 'file' / 'cache')


def test_too_large_a_cache_is_refused(sysu_root, options, monkeypatch):
    usage = shutil.disk_usage(sysu_root)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage._replace(free=10))
    with pytest.raises(ValueError, match=r'the cache takes 0\.00 GB, but .* free'):
        build(sysu_root, **options)


def test_the_default_cache_is_on_disk_where_there_is_room(sysu_root, monkeypatch):
    """The cache may take half of what is free; one that is there already is used anyway."""
    expected = images_of(build(sysu_root))
    size = len(expected) * (9 * 5 * 3 + 1)
    usage = shutil.disk_usage(sysu_root)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage._replace(free=2 * size - 1))
    without = build(sysu_root, cache='auto')
    assert without.image_cache is None and torch.equal(images_of(without), expected)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage._replace(free=2 * size))
    assert torch.equal(images_of(build(sysu_root, cache='auto')), expected)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage._replace(free=0))
    dataset = build(sysu_root, cache='auto')
    delete_images(sysu_root)
    assert torch.equal(images_of(dataset), expected)


@pytest.mark.parametrize('reason', ['folder', 'pipeline'])
def test_the_default_cache_stops_nothing_and_says_why(sysu_root, reason, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(base_reid_dataset, 'print_log', lambda text, logger: said.append(text))
    pipeline, options = PIPELINE, {'cache': 'auto'}
    if reason == 'folder':
        (tmp_path / 'file').write_text('')
        options['cache_dir'] = tmp_path / 'file' / 'cache'
    else:  # a plugin's own way to load images
        pipeline = []
    dataset = SYSUMM01(sysu_root, 'train', pipeline=pipeline, **options)
    row = dataset[3]
    assert dataset.image_cache is None and 'cache_slot' not in row
    expected = {'folder': '`cache_dir` is', 'pipeline': 'pipeline with one LoadReIDImage'}[reason]
    assert len(said) == 1 and 'decoded anew in every epoch' in said[0] and expected in said[0]


def test_full_records_between_empty_ones_are_found(tmp_path):
    """Records are read in another way behind an empty one."""
    loader = LoadReIDImage((3, 2))
    (tmp_path / 'root').mkdir()
    names = [f'{slot}.png' for slot in range(8)]
    for name in names:
        (tmp_path / 'root' / name).touch()
    table = ImageCache.on_disk(loader, str(tmp_path / 'root'), names, tmp_path).table
    images = {slot: np.full((3, 2, 3), 40 * slot, np.uint8) for slot in (1, 2, 5)}
    for slot, image in images.items():
        table.put(slot, image)
    for slot in [*range(8), *range(7, -1, -1)]:
        found = table.get(slot)
        assert found is None if slot not in images else np.array_equal(found, images[slot])


def fail(number):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What all processes have said."""
    path = tmp_path / 'said'
    path.touch()

    def say(message, logger, level=logging.INFO):
        with path.open('a') as file:
            file.write(f'{logging.getLevelName(level)} {message}\n')

    monkeypatch.setattr(image_cache, 'print_log', say)
    return lambda: path.read_text().splitlines()


def test_a_disk_that_becomes_full_is_said_once_and_the_cache_goes_on_without(
    sysu_root, tmp_path, monkeypatch, said
):
    """Also where it takes a part of an image first; what is there already is still read."""
    expected = images_of(build(sysu_root))
    options = dict(cache='disk', cache_dir=tmp_path / 'cache')
    dataset, other = build(sysu_root, **options), build(sysu_root, **options)
    write, left = os.pwrite, [40 * 9 * 5 * 3 // 10]

    def almost_full(descriptor, data, place):
        if left[0] == 0:
            raise OSError(errno.ENOSPC, 'No space left on device')
        data = data[: left[0]]
        left[0] -= len(data)
        return write(descriptor, data, place)

    monkeypatch.setattr(os, 'pwrite', almost_full)
    loader = DataLoader(dataset, batch_size=4, collate_fn=reid_collate)
    for _ in range(2):
        assert torch.equal(torch.cat([batch['inputs'] for batch in loader]), expected)
    (line,) = said()
    assert line.startswith('WARNING') and 'cannot be used (No space left on device)' in line
    monkeypatch.undo()
    delete_images(sysu_root)
    held = [other.image_cache.table.get(slot) is not None for slot in range(len(other))]
    assert sum(held) == 3  # four images fitted, less a byte for the mark of each
    for slot in range(3):
        assert torch.equal(other[slot]['inputs'], expected[slot])


def test_workers_say_it_once_together(sysu_root, tmp_path, monkeypatch, said):
    dataset = build(sysu_root, cache='disk', cache_dir=tmp_path / 'cache')
    expected = images_of(build(sysu_root))
    monkeypatch.setattr(os, 'pwrite', fail(errno.EROFS))
    for _ in range(2):  # workers of a second epoch know, too
        loader = DataLoader(dataset, batch_size=99, num_workers=1, collate_fn=reid_collate)
        assert torch.equal(next(iter(loader))['inputs'], expected)
    assert len(said()) == 1


def test_a_file_that_can_only_be_read_serves_as_far_as_it_goes(sysu_root, tmp_path, monkeypatch):
    options = dict(cache='disk', cache_dir=tmp_path / 'cache')
    first = build(sysu_root, **options)
    expected = first[0]['inputs']
    own_open = open

    def read_only(path, mode='r', **kwargs):
        if '+' in mode:
            raise OSError(errno.EROFS, 'Read-only file system')
        return own_open(path, mode, **kwargs)

    monkeypatch.setattr('builtins.open', read_only)
    second = build(sysu_root, **options)
    assert torch.equal(images_of(second), images_of(build(sysu_root)))
    delete_images(sysu_root)
    assert torch.equal(second[0]['inputs'], expected)


def test_a_file_system_without_links_will_do(sysu_root, tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'link', fail(errno.EPERM))
    dataset = build(sysu_root, cache='disk', cache_dir=tmp_path / 'cache')
    expected = images_of(dataset)
    assert cache_files(tmp_path / 'cache') == [dataset.image_cache.store.name]
    delete_images(sysu_root)
    assert torch.equal(images_of(dataset), expected)


def test_a_file_that_is_cut_while_it_is_used_ends_nothing(sysu_root, tmp_path):
    """A mapped one would end the process by a signal."""
    dataset = build(sysu_root, cache='disk', cache_dir=tmp_path / 'cache')
    expected = images_of(dataset)
    os.truncate(dataset.image_cache.store, 200)
    assert torch.equal(images_of(dataset), expected)


def test_numpy_reads_the_file(sysu_root, tmp_path):
    dataset = build(sysu_root, cache='disk', cache_dir=tmp_path / 'cache')
    expected = images_of(dataset)
    records = np.load(dataset.image_cache.store)
    assert records['filled'].all()
    rgb = torch.from_numpy(records['image'][..., ::-1].copy()).permute(0, 3, 1, 2)
    assert torch.equal(rgb, expected) or torch.equal(rgb.flip(1), expected)
