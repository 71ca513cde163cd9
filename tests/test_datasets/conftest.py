"""Small image trees, written with OpenCV."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def write_image():
    """Writes an image whose pixels are a function of its path's last two parts."""

    def write(path, height=12, width=6):
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = list('/'.join(path.parts[-3:]).encode())
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        assert cv2.imwrite(str(path), pixels)
        return pixels

    return write


@pytest.fixture
def write_sysu(write_image):
    """Writes a tree of SYSU-MM01 from {(camera, person): number of images} and id lists."""

    def write(root, counts, **ids):
        for camera in range(1, 7):
            (root / f'cam{camera}').mkdir(parents=True, exist_ok=True)
        for (camera, person), number in counts.items():
            for image in range(1, number + 1):
                write_image(root / f'cam{camera}' / f'{person:04d}' / f'{image:04d}.png')
        (root / 'exp').mkdir(exist_ok=True)
        for split in ('train', 'val', 'test'):
            text = ','.join(map(str, ids.get(split, [])))
            (root / 'exp' / f'{split}_id.txt').write_text(text + '\n')
        return root

    return write


@pytest.fixture
def sysu_root(tmp_path, write_sysu):
    """Training identities 30, 2, 7 and 8; 5 for validation; 9 and 12 for testing."""
    counts = {(camera, person): 2 for person in (2, 7, 8, 30) for camera in (1, 3)}
    counts |= {(4, 5): 1, (3, 5): 1, (2, 9): 2, (6, 9): 1, (3, 12): 1, (5, 12): 1, (4, 30): 1}
    return write_sysu(tmp_path / 'sysu', counts, train=[30, 2, 7, 8], val=[5], test=[9, 12])
