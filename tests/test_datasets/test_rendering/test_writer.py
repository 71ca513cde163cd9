import json
import os
import signal
import threading

import pytest

from mmvireid.datasets import LLCM, SYSUMM01, RegDB, SyntheticSYSU
from mmvireid.datasets.rendering import (
    LAYOUTS,
    ensure_rendered,
    render_jpeg,
    rendered_layout,
    writer,
)

READERS = dict(sysu=SYSUMM01, regdb=RegDB, llcm=LLCM)


def files_of(root):
    """Relative path -> bytes, of everything but .mat files, whose header holds the time."""
    paths = (path for path in root.rglob('*') if path.is_file() and path.suffix != '.mat')
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def three_shots(monkeypatch):
    """Every layout wants only three of its pictures, so that a rendering takes no time."""
    for layout in LAYOUTS.values():
        monkeypatch.setattr(layout, 'shots', lambda self: self.test_shots()[:3])


@pytest.mark.parametrize('layout', LAYOUTS)
def test_tiny_data_set_is_what_its_layout_declares(tmp_path, layout):
    root = tmp_path / 'deep' / 'data'
    ensure_rendered(root, 'tiny', layout, seed=3, workers=1)

    shots = LAYOUTS[layout]('tiny', 3).shots()
    pictures = {path for path in files_of(root) if path.endswith('.jpg')}
    assert pictures == {shot.path for shot in shots}
    marker = json.loads((root / 'rendered.json').read_text())
    assert marker['num_images'] == len(pictures)
    assert marker['num_ids'] == len({shot.person_id for shot in shots})
    assert os.listdir(root.parent) == ['data']


def test_bytes_depend_on_the_seed_and_not_on_the_workers(tmp_path, three_shots):
    for name, seed, workers in (('one', 0, 1), ('two', 0, 2), ('other', 1, 1)):
        ensure_rendered(tmp_path / name, 'tiny', 'regdb', seed=seed, workers=workers)

    one, two, other = (files_of(tmp_path / name) for name in ('one', 'two', 'other'))
    assert len(one) == 3 + 40 + 2  # pictures, index files, table of factors, marker
    assert one == two
    assert not set(one.values()) & {b for path, b in other.items() if path.endswith('.jpg')}


def test_complete_folder_is_left_alone(tmp_path, three_shots, monkeypatch):
    ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
    monkeypatch.setattr(writer, '_write_pictures', None)  # would fail if called

    ensure_rendered(str(tmp_path / 'data') + '/', 'tiny')


def test_empty_folder_is_filled(tmp_path, three_shots):
    (tmp_path / 'data').mkdir()
    ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
    assert (tmp_path / 'data' / 'rendered.json').exists()


@pytest.mark.parametrize(
    'other', [{'size': 'small'}, {'layout': 'llcm'}, {'seed': 1}, {'tones': 'related'}]
)
def test_other_content_is_refused_by_name(tmp_path, three_shots, other):
    ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
    before = files_of(tmp_path / 'data')

    wanted = {'size': 'tiny', 'layout': 'sysu', 'seed': 0} | other
    ((key, value),) = other.items()
    with pytest.raises(ValueError, match=rf"'{key}': {value!r}.*Name another folder"):
        ensure_rendered(tmp_path / 'data', **wanted)
    assert files_of(tmp_path / 'data') == before


@pytest.mark.parametrize('name', ['0001.jpg', 'rendered.json'])
def test_foreign_folder_is_refused(tmp_path, name):
    (tmp_path / name).write_text('{}')
    with pytest.raises(ValueError, match=r'something without a rendered\.json'):
        ensure_rendered(tmp_path, 'tiny')


def test_interrupted_rendering_leaves_nothing_and_recovers(tmp_path, three_shots, monkeypatch):
    def interrupt(folder, seed, tones, shot):
        if shot.index == 2:
            raise KeyboardInterrupt
        (folder / shot.path).write_bytes(b'half')

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(writer, '_write_picture', interrupt)
        ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
    assert os.listdir(tmp_path) == []

    ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
    assert b'half' not in files_of(tmp_path / 'data').values()


def test_leftovers_of_a_killed_run_are_removed_later(tmp_path, three_shots):
    fresh, stale = tmp_path / '.data.partial-a', tmp_path / '.data.partial-b'
    for folder in (fresh, stale):
        (folder / 'cam1').mkdir(parents=True)
    os.utime(stale, (0, 0))

    ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
    assert sorted(os.listdir(tmp_path)) == ['.data.partial-a', 'data']


def test_two_renderings_at_the_same_time(tmp_path, three_shots, monkeypatch):
    both_started = threading.Barrier(2)
    errors = []

    def write_together(folder, plan, shots, workers, description):
        both_started.wait(timeout=20)
        for shot in shots:
            (folder / shot.path).parent.mkdir(parents=True, exist_ok=True)
            writer._write_picture(folder, plan.seed, plan.tones, shot)

    def run():
        try:
            ensure_rendered(tmp_path / 'data', 'tiny', workers=1)
        except Exception as error:
            errors.append(error)

    with monkeypatch.context() as patch:
        patch.setattr(writer, '_write_pictures', write_together)
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == ['data']

    ensure_rendered(tmp_path / 'alone', 'tiny', workers=1)
    assert files_of(tmp_path / 'data') == files_of(tmp_path / 'alone')


def test_a_worker_does_not_inherit_who_listens_to_signals(tmp_path, three_shots, monkeypatch):
    """One that ignored SIGTERM, or waited for what its pool has locked, would never end."""

    def handlers(*_):
        return repr([signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]).encode()

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        monkeypatch.setattr(writer, 'render_jpeg', handlers)
        ensure_rendered(tmp_path / 'data', 'tiny', workers=2)
    finally:
        signal.signal(signal.SIGTERM, before)
    pictures = {data for path, data in files_of(tmp_path / 'data').items() if '.jpg' in path}
    assert pictures == {repr([signal.SIG_DFL, signal.SIG_IGN]).encode()}


def test_a_killed_worker_ends_it_and_leaves_nothing(tmp_path, three_shots, monkeypatch):
    monkeypatch.setattr(writer, 'render_jpeg', lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(RuntimeError, match='a process that rendered was killed'):
        ensure_rendered(tmp_path / 'data', 'tiny', workers=2)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('layout', LAYOUTS)
def test_counterparts_have_the_same_names_and_no_data_set_class_takes_them(
    tmp_path, layout, three_shots
):
    plan, reader = LAYOUTS[layout]('tiny', 3), READERS[layout]
    ensure_rendered(tmp_path, 'tiny', layout, seed=3, workers=1, counterparts=True)

    assert set(files_of(tmp_path)) == {shot.path for shot in plan.shots()} | {'rendered.json'}
    for shot in plan.shots():
        sensor = plan.counterpart(shot.camera)
        expected = render_jpeg(3, shot.person_id, shot.camera, shot.index, sensor)
        assert (tmp_path / shot.path).read_bytes() == expected
    for split in reader.splits:
        with pytest.raises((FileNotFoundError, ValueError)):
            reader(str(tmp_path), split)
    assert rendered_layout(tmp_path) is None
    with pytest.raises(ValueError, match='Name another folder'):
        ensure_rendered(tmp_path, 'tiny', layout, seed=3)
    with pytest.raises(ValueError, match='Name another folder'):
        SyntheticSYSU(str(tmp_path), 'test', size='tiny', seed=3)


def test_related_tones_are_another_data_set_of_the_same_people(tmp_path, monkeypatch):
    monkeypatch.setattr(LAYOUTS['sysu'], 'shots', lambda self: self.test_shots()[::9])
    plan = LAYOUTS['sysu']('tiny', 3, 'related')
    for tones in ('independent', 'related'):
        ensure_rendered(tmp_path / tones, 'tiny', seed=3, workers=1, tones=tones)
    independent, related = (files_of(tmp_path / tones) for tones in ('independent', 'related'))
    assert independent.keys() == related.keys()
    differ = {name for name in independent if independent[name] != related[name]}
    infrared = {shot.path for shot in plan.shots() if shot.camera.modality == 'infrared'}
    assert infrared and differ == infrared | {'rendered.json'}
    for shot in plan.shots():
        who = 3, shot.person_id, shot.camera, shot.index
        assert related[shot.path] == render_jpeg(*who, tones='related')
    assert rendered_layout(tmp_path / 'related').tones == 'related'

    with pytest.raises(ValueError, match='Name another folder'):
        SyntheticSYSU(str(tmp_path / 'related'), 'test', size='tiny', seed=3)


def test_what_a_folder_was_rendered_from_is_known_of_older_ones_too(tmp_path, three_shots):
    ensure_rendered(tmp_path / 'data', 'tiny', 'llcm', seed=4, workers=1)
    marker = tmp_path / 'data' / 'rendered.json'
    older = json.loads(marker.read_text())
    del older['counterparts'], older['tones']
    marker.write_text(json.dumps(older))
    layout = rendered_layout(tmp_path / 'data')
    assert (type(layout), layout.size, layout.seed) == (LAYOUTS['llcm'], 'tiny', 4)
    assert layout.tones == 'independent'
    ensure_rendered(tmp_path / 'data', 'tiny', 'llcm', seed=4)
    assert rendered_layout(tmp_path) is None

    marker.write_text(json.dumps(older | {'version': 0}))
    with pytest.raises(ValueError, match='of version 0 .*Render it again'):
        rendered_layout(tmp_path / 'data')


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        ({'size': 'huge'}, 'size'),
        ({'layout': 'market'}, 'layout'),
        ({'seed': -1}, 'seed'),
        ({'seed': 0.5}, 'seed'),
        ({'workers': 0}, 'workers'),
        ({'tones': 'grey'}, 'tones'),
    ],
)
def test_bad_argument_is_named(tmp_path, arguments, name):
    with pytest.raises(ValueError, match=f'`{name}` is .*expected'):
        ensure_rendered(tmp_path / 'data', **arguments)
    assert os.listdir(tmp_path) == []
