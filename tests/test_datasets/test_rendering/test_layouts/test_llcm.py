import re
from collections import Counter

import pytest

from mmvireid.datasets.rendering.layouts import SIZES, LLCMLayout


def test_index_files_name_every_picture(tmp_path):
    layout = LLCMLayout('tiny', 0)
    layout.write_index(tmp_path)
    listed, ids = [], {}
    for split in ('train', 'test'):
        for word in ('vis', 'nir'):
            lines = (tmp_path / 'idx' / f'{split}_{word}.txt').read_text().splitlines()
            rows = [line.split(' ') for line in lines]
            listed += [path for path, _ in rows]
            labels = {int(path.split('/')[-2]): int(label) for path, label in rows}
            ids.setdefault(split, labels)
            assert ids[split] == labels
    assert sorted(listed) == sorted(shot.path for shot in layout.shots())
    assert sorted(ids['train'].values()) == list(range(8))
    assert all(person_id == label for person_id, label in ids['test'].items())
    assert not set(ids['train']) & set(ids['test'])
    text = (tmp_path / 'idx' / 'test_id.txt').read_text()
    assert text == ','.join(map(str, sorted(ids['test']))) + '\n'


def test_paths_say_who_and_where():
    pattern = re.compile(
        r'(?:(vis|nir)|test_(vis|nir)/cam(\d))/(\d{4})/\4_c0(\d)_s\d{6}_f\d{4}_(vis|nir)\.jpg'
    )
    for shot in LLCMLayout('tiny', 0).shots():
        train_word, test_word, folder, person_id, camera_id, word = pattern.fullmatch(
            shot.path
        ).groups()
        assert (train_word or test_word) == word
        assert folder in (None, camera_id)
        assert int(person_id) == shot.person_id
        assert int(camera_id) == shot.camera.camera_id
        assert shot.camera.modality == {'vis': 'visible', 'nir': 'infrared'}[word]


@pytest.mark.parametrize('size', SIZES)
def test_every_test_image_has_a_match_at_another_camera(size):
    layout = LLCMLayout(size, 0)
    seen = Counter((shot.person_id, shot.camera) for shot in layout.test_shots())
    assert min(seen.values()) >= 2
    assert not any(camera.camera_id == 3 and camera.modality == 'infrared' for _, camera in seen)
    for person_id, camera in seen:
        assert any(
            other == person_id
            and match.modality != camera.modality
            and match.camera_id != camera.camera_id
            for other, match in seen
        )


def test_full_size_has_the_counts_of_the_real_data_set():
    counts = Counter(
        (shot.path.startswith('test_'), shot.camera.modality)
        for shot in LLCMLayout('full', 0).shots()
    )
    assert counts == {
        (False, 'visible'): 16946, (False, 'infrared'): 13975,
        (True, 'visible'): 8680, (True, 'infrared'): 7166,
    }  # fmt: skip
