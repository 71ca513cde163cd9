"""Data sets that consist of rows only."""

import numpy as np
import pytest


class Rows(list):
    def get_data_info(self, index):
        return self[index]


@pytest.fixture
def rows_of():
    """Rows in a shuffled order, from the number of images of each label."""

    def build(visible, infrared):
        rows = [
            {'modality': modality, 'gt_label': label}
            for modality, counts in [('visible', visible), ('infrared', infrared)]
            for label, count in enumerate(counts)
            for _ in range(count)
        ]
        return Rows(np.random.default_rng(0).permutation(np.array(rows, dtype=object)))

    return build


@pytest.fixture
def rows(rows_of):
    """Ten identities with 3 to 8 visible and 2 to 5 infrared images."""
    rng = np.random.default_rng(1)
    return rows_of(rng.integers(3, 9, 10), rng.integers(2, 6, 10))
