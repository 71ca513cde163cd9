"""Every step and every kind of cache is measured, also on enlarged pictures."""

from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).parents[3]
STEPS = ['read the file', 'read and decode', 'resize', 'all of it, and keep', 'from the cache']


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/benchmark_dataloader.py')


def test_steps_and_caches_are_measured(tool, shrink, tmp_path, capsys):
    config = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    config.dump(tmp_path / 'tiny.py')
    capsys.readouterr()  # rendering, where it was not done before
    options = ['--iters', '1', '--num-workers', '0', '--picture-height', '40']
    assert tool.main([str(tmp_path / 'tiny.py'), *options]) == 0
    steps, caches = capsys.readouterr().out.split('\n\n', 1)
    times = {line[:24].strip(): float(line[24:]) for line in steps.splitlines()[1:]}
    transforms = [each['type'] for each in config.train_dataloader.dataset.pipeline[1:]]
    assert [*times] == [*STEPS, 'seed', *transforms, 'collate'] and min(times.values()) >= 0
    lines = [line for line in caches.splitlines()[1:] if line.strip()]
    labels = [line[:16].strip() for line in lines]
    assert labels == ['none', 'ram, empty', 'ram, full', 'disk, empty', 'disk, full']
    speeds = [float(figure.replace(',', '')) for line in lines for figure in line[16:].split()[:2]]
    assert min(speeds) > 0


def test_steps_add_up_per_image(tool):
    times = tool.StepTimes()
    burnt = [times.add('add', sum, range(10**6)) for _ in range(3)]
    assert burnt == [499999500000] * 3 and 0 < times['add'] < 30


def test_pictures_are_enlarged_in_proportion(tool, rendered, tmp_path):
    root = Path(rendered('sysu'))
    tool.enlarge(root, tmp_path, 200)
    found = (path.relative_to(root) for path in root.rglob('*') if path.is_file())
    names = sorted(name for name in found if '.image_cache' not in name.parts)  # of other tests
    assert names == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob('*') if p.is_file())
    for name in names:
        before, after = cv2.imread(str(root / name)), cv2.imread(str(tmp_path / name))
        if before is None:
            assert (root / name).read_bytes() == (tmp_path / name).read_bytes()
        else:
            assert after.shape[0] == 200
            assert after.shape[1] == round(before.shape[1] * 200 / before.shape[0])
