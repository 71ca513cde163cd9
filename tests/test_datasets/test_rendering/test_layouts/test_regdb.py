from collections import Counter

from mmvireid.datasets.rendering.layouts import RegDBLayout


def read(path):
    return [(name, int(label)) for name, label in map(str.split, path.read_text().splitlines())]


def test_ten_trials_split_the_people_in_halves(tmp_path):
    layout = RegDBLayout('tiny', 0)
    layout.write_index(tmp_path)
    people = {shot.path: shot.person_id for shot in layout.shots()}
    splits = set()
    for trial in range(1, 11):
        members = {}
        for split in ('train', 'test'):
            pairs = set()
            for side, folder in (('visible', 'Visible'), ('thermal', 'Thermal')):
                rows = read(tmp_path / 'idx' / f'{split}_{side}_{trial}.txt')
                assert all(path.startswith(f'{folder}/') for path, _ in rows)
                assert Counter(label for _, label in rows) == dict.fromkeys(range(8), 10)
                pairs |= {(people[path], label) for path, label in rows}
            assert len(pairs) == 8  # one label per person, the same in both modalities
            members[split] = frozenset(person_id for person_id, _ in pairs)
        assert not members['train'] & members['test']
        assert len(members['train'] | members['test']) == 16
        splits.add(members['train'])
    assert len(splits) == 10


def test_full_size_has_the_counts_of_the_real_data_set():
    shots = RegDBLayout('full', 0).shots()
    assert Counter(shot.camera.modality for shot in shots) == {'visible': 4120, 'infrared': 4120}
    assert len({shot.path for shot in shots}) == 8240
    assert len(RegDBLayout('full', 0).test_shots()) == 4120
