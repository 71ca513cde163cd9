"""The rendered data set, on first use and after it."""

from functools import partial

import pytest

from mmvireid.datasets import SYSUMM01, SyntheticSYSU, synthetic


def test_it_is_rendered_once_and_read_as_sysu(tmp_path):
    root = tmp_path / 'rendered'
    pipeline = [{'type': 'LoadReIDImage', 'size': (16, 8)}, {'type': 'PackReIDInputs'}]
    training = SyntheticSYSU(root, 'trainval', size='tiny', pipeline=pipeline, cache='disk')
    training[0]
    written = {path: path.stat().st_mtime_ns for path in root.rglob('*.jpg')}
    test = SyntheticSYSU(root, 'test', size='tiny')
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*.jpg')} == written
    assert training.metainfo | {'num_ids': 0} == {
        'dataset': 'synthetic_sysu',
        'protocol': 'sysu',
        'split': 'trainval',
        'num_ids': 0,
        'image_size': [16, 8],
        'size': 'tiny',
        'seed': 0,
        'tones': 'independent',
    }
    plain = SYSUMM01(root, 'test')
    rows = [plain.get_data_info(index) for index in range(len(plain))]
    assert [test.get_data_info(index) for index in range(len(test))] == rows
    assert {row['camera_id'] for row in rows} == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize('main_process', [True, False])
def test_only_the_first_process_renders_and_all_meet(tmp_path, monkeypatch, main_process):
    calls = []
    monkeypatch.setattr(synthetic, 'is_main_process', lambda: main_process)
    monkeypatch.setattr(synthetic, 'barrier', partial(calls.append, 'meet'))

    def fail(*arguments, **options):
        calls.append((arguments, options))
        raise ValueError('disk full')

    monkeypatch.setattr(synthetic, 'ensure_rendered', fail)
    error = ValueError if main_process else FileNotFoundError
    with pytest.raises(error):
        SyntheticSYSU(tmp_path / 'x', 'test', size='tiny', seed=3)
    wanted = {'layout': 'sysu', 'size': 'tiny', 'seed': 3, 'tones': 'independent'}
    rendering = ((str(tmp_path / 'x'),), wanted)
    assert calls == ([rendering] if main_process else []) + ['meet']
