"""What can be wrong with rows."""

import numpy as np

from mmvireid.datasets.image_rows import image_row, unpaired_ids


def test_unpaired_identities_against_a_table():
    rng = np.random.default_rng(0)
    present = rng.random((40, 2)) < 0.6
    rows = [
        image_row(f'{person}/{copy}.jpg', person, 1, ('visible', 'infrared')[modality])
        for person, modality in np.argwhere(present)
        for copy in range(2)
    ]
    expected = {
        person: 'visible' if visible else 'infrared'
        for person, (visible, infrared) in enumerate(present)
        if visible != infrared
    }
    assert unpaired_ids(rows) == expected and expected
