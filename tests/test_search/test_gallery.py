"""The gallery on the embedded engine, and what a server would be asked."""

import os
import re
import resource
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.search import Gallery, file_digest, gallery, milvus, search_exact
from mmvireid.search.records import picture_key

pymilvus = pytest.importorskip('pymilvus')
pytest.importorskip('milvus_lite')

SIZE = 16
MODEL = ('agw', 'a' * 64)
#: Names that would mean something else inside an expression, a path or a page.
ODD = ['a" or name like "%', "b' or 1==1 --", '../c.jpg', '/d/é 写.jpg', '{e}', '<b>f</b>.jpg']


def pictures(count: int, seed: int = 0, names=None) -> FeatureSet:
    rng = np.random.default_rng(seed)
    return FeatureSet(
        rng.standard_normal((count, SIZE)),
        np.arange(count) // 4,
        np.arange(count) % 5,
        np.where(np.arange(count) % 2, 'infrared', 'visible'),
        names or [f'{seed}/{at:04d}.jpg' for at in range(count)],
    )


@pytest.fixture(scope='module')
def filled(tmp_path_factory):
    """A gallery of 60 pictures, and they; tests of it leave it as it is."""
    shown = pictures(60)
    address = str(tmp_path_factory.mktemp('gallery') / 'gallery.db')
    with Gallery(address, *MODEL) as opened:
        assert opened.add(shown, times=[-1, *range(1000, 1059)]) == 60
        yield opened, shown


def named(matches) -> list[str]:
    return [match.name for match in matches]


def test_a_search_finds_what_the_exact_search_finds(filled):
    opened, shown = filled
    asked = pictures(5, seed=1).features
    exact = search_exact(asked, shown.features, 7)
    found = opened.search(asked, k=7)
    assert [named(row) for row in found] == shown.names[exact.rows].tolist()
    similarity = np.array([[match.similarity for match in row] for row in found])
    assert np.abs(similarity - exact.similarity).max() < 1e-6
    first = found[0][0]
    row = exact.rows[0, 0]
    assert (first.camera_id, first.modality) == (shown.camera_ids[row], shown.modalities[row])
    assert (first.person_id, first.digest) == (shown.person_ids[row], '')


@pytest.mark.parametrize(
    ('filters', 'kept'),
    [
        (dict(cameras=[1, 3]), lambda s, t: np.isin(s.camera_ids, [1, 3])),
        (dict(modalities=['infrared']), lambda s, t: s.modalities == 'infrared'),
        (dict(modalities=('visible', 'infrared')), lambda s, t: t > -2),
        (dict(after=1010), lambda s, t: t >= 1010),
        (dict(before=1010), lambda s, t: (t < 1010) & (t >= 0)),
        (dict(after=-5), lambda s, t: t >= 0),
        (
            dict(cameras=np.array([2]), modalities=['visible'], after=1005, before=1040),
            lambda s, t: (
                (s.camera_ids == 2) & (s.modalities == 'visible') & (t > 1004) & (t < 1040)
            ),
        ),
    ],
)
def test_filters_leave_the_best_of_what_they_admit(filled, filters, kept):
    opened, shown = filled
    rows = np.flatnonzero(kept(shown, np.array([-1, *range(1000, 1059)])))
    query = pictures(1, seed=2).features
    expected = search_exact(query, shown.features[rows], 60).rows[0]
    assert named(opened.search(query, k=60, **filters)[0]) == shown.names[rows[expected]].tolist()


def test_the_least_similarity(filled):
    opened, shown = filled
    everything = opened.search(shown.features[:2], k=60)
    some = opened.search(shown.features[:2], k=60, min_similarity=0.2)
    for few, many in zip(some, everything):
        assert 0 < len(few) < len(many)
        assert few == [match for match in many if match.similarity >= 0.2]


def test_what_a_gallery_says_of_itself(filled):
    opened, shown = filled
    info = opened.info()
    assert (info['model'], info['checksum'], info['feature_size']) == (*MODEL, SIZE)
    assert info['pictures'] == len(opened) == 60 and info['kind'] == 'embedded'
    assert sum(info['cameras']['visible'].values()) == (shown.modalities == 'visible').sum()
    assert info['cameras']['infrared'][3] == 6


def test_the_features_are_the_same_to_the_last_bit(filled):
    opened, shown = filled
    keys = [picture_key(name) for name in shown.names]
    rows = opened._client.get('mmvireid', ids=keys, output_fields=['name', 'feature'])
    stored = {row['name']: np.array(row['feature'], np.float32) for row in rows}
    assert all(np.array_equal(stored[n], f) for n, f in zip(shown.names, shown.features))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(k=0), '`k` is 0'),
        (dict(k=16385), '`k` is 16385'),
        (dict(k='3'), "`k` is '3'"),
        (dict(min_similarity=1.1), '`min_similarity` is 1.1, expected -1 to 1'),
        (dict(min_similarity=np.nan), '`min_similarity` is nan'),
        (dict(cameras=[2**63]), 'expected whole numbers of 64 bits'),
        (dict(features=np.ones((1, 3))), r'shape \(1, 3\), expected \(N, 16\)'),
        (dict(features=np.full((1, SIZE), np.nan)), 'NaN or infinite'),
        (dict(cameras=['1] or time > 0 or camera_id in [1']), '`cameras` has'),
        (dict(cameras=[]), r'`cameras` is \[\]'),
        (dict(cameras=[True]), '`cameras` has True'),
        (dict(modalities=['visible" or "a" == "a']), '`modalities` has'),
        (dict(modalities='visible'), "`modalities` is 'visible'"),
        (dict(after='0 or time < 0'), '`after` has'),
        (dict(before=1.5), '`before` has 1.5'),
    ],
)
def test_a_filter_is_never_more_than_a_filter(filled, arguments, message):
    with pytest.raises(ValueError, match=message):
        filled[0].search(**(dict(features=np.ones((1, SIZE))) | arguments))


@pytest.fixture
def address(tmp_path):
    return str(tmp_path / 'gallery.db')


def test_pictures_come_once_and_go(address):
    shown = pictures(len(ODD), names=ODD)
    with Gallery(address, *MODEL) as opened:
        assert len(opened) == 0 and opened.info()['pictures'] == 0
        assert opened.search(shown.features) == [[]] * 6 and not opened.holds(ODD).any()
        assert (opened.add(shown), opened.add(shown), len(opened)) == (6, 0, 6)
        assert opened.holds([*ODD, 'a']).tolist() == [True] * 6 + [False]
        assert [row[0].name for row in opened.search(shown.features, 1)] == ODD
        assert (opened.remove([ODD[0], 'a', '%']), len(opened)) == (1, 5)
        assert (opened.remove([ODD[0]]), opened.add(shown), len(opened)) == (0, 1, 6)
    with Gallery(address) as again:
        assert (again.model, again.checksum, len(again)) == (*MODEL, 6)
        assert again.holds(ODD).all()


def test_a_file_that_has_become_another_one_is_replaced(address):
    old, new = pictures(3), pictures(3, seed=5, names=[f'0/{at:04d}.jpg' for at in range(3)])
    digests = [file_digest(bytes([at])) for at in range(3)]
    with Gallery(address, *MODEL) as opened:
        opened.add(old, digests=digests)
        assert opened.holds(old.names, [*digests[:2], 'other']).tolist() == [True, True, False]
        assert opened.add(new, digests=[*digests[:2], 'f' * 64]) == 1
        assert len(opened) == 3 and opened.add(old) == 0  # of unknown files: the same
        match = opened.search(new.features[2:], 1)[0][0]
    assert match.similarity == pytest.approx(1, abs=1e-6) and match.digest == 'f' * 64


def test_another_model_is_refused(address):
    with Gallery(address, *MODEL) as opened:
        opened.add(pictures(2))
        with pytest.raises(ValueError, match=r'\(2, 8\), expected \(N, 16\)'):
            opened.add(FeatureSet(np.ones((2, 8)), [1, 2], [1, 1], ['visible'] * 2, ['a', 'b']))
    with pytest.raises(ValueError, match='features of agw .aaaaaaaaaaaa.*of mso .bbbbbbbbbbbb'):
        Gallery(address, 'mso', 'b' * 64)
    with Gallery(address, 'agw again', MODEL[1]) as opened:
        assert len(opened) == 2


def test_an_add_that_was_killed_goes_on(address, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, '_MESSAGE', 4 * SIZE * 10)  # ten pictures at a time
    shown, copies, said = pictures(40), [], []
    monkeypatch.setattr(gallery, 'print_log', lambda text, *_: said.append(text))
    with Gallery(address, *MODEL) as opened:
        upsert = opened._client.upsert

        def spy(*args):
            result = upsert(*args)
            copies.append(shutil.copytree(address, tmp_path / f'{len(copies)}.db'))
            return result

        opened._client.upsert = spy
        opened.add(shown)
    log = next(copies[2].rglob('wal_data*'))  # what a kill after 30 pictures leaves
    with Gallery(str(copies[1]), *MODEL) as killed:
        assert (len(killed), killed.add(shown), len(killed)) == (20, 20, 40)
    os.truncate(log, log.stat().st_size - 100)  # and one in the middle of a write
    with Gallery(str(copies[2]), *MODEL) as killed:
        assert (len(killed), killed.add(shown), len(killed)) == (20, 20, 40)
        found = killed.search(shown.features, 1)
        assert [row[0].name for row in found] == shown.names.tolist()
    assert len(said) == 1 and 'were not written to their end' in said[0]


@contextmanager
def full_disk(limit: int):
    """No file may become longer than this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_nothing(address, monkeypatch):
    monkeypatch.setattr(gallery, '_MESSAGE', 4 * SIZE * 100)
    first, more = pictures(100), pictures(300, seed=3)
    with Gallery(address, *MODEL) as opened:
        opened.add(first)
        with full_disk(2**16), pytest.raises(RuntimeError, match='gallery.db does not work') as e:
            opened.add(more)
        assert '\n' not in str(e.value) and 'disk is full' in str(e.value)
    with Gallery(address, *MODEL) as opened:
        assert opened.holds(first.names).all()
        opened.add(more)
        assert len(opened) == 400 and opened.holds(more.names).all()


def corrupt(path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda db: corrupt(next(db.rglob('*.parquet'))), 'does not work'),
        (
            lambda db: next(db.rglob('*.parquet')).unlink(),
            'is damaged .manifest references missing',
        ),
        (lambda db: [corrupt(path) for path in db.rglob('manifest.json*')], 'is damaged'),
        (lambda db: [path.unlink() for path in db.rglob('manifest.json')], 'is damaged'),
        (
            lambda db: [
                path.unlink()
                for end in ('parquet', 'json*')
                for path in db.rglob(f'*t*.{end}')
                if path.name != 'schema.json'
            ],
            'nothing is in it',
        ),
        (lambda db: corrupt(next(db.rglob('schema.json'))), 'does not work'),
        (lambda db: shutil.rmtree(db / 'collections'), 'which is no gallery'),
    ],
)
def test_a_damaged_file_is_one_line(filled, address, damage, message, tmp_path):
    with Gallery(address, *MODEL) as opened:
        opened.add(pictures(5))
    damage(tmp_path / 'gallery.db')
    with pytest.raises((ValueError, RuntimeError), match=message) as error:
        Gallery(address, *MODEL, timeout=1)
    assert '\n' not in str(error.value) and 'Traceback' not in str(error.value)


def test_a_damaged_list_of_parts_does_not_cost_the_parts(address, tmp_path):
    with Gallery(address, *MODEL) as opened:
        opened.add(pictures(5))
    path = next(tmp_path.rglob('manifest.json'))
    sound = path.read_bytes()
    path.write_bytes(sound[:20])
    with pytest.raises(RuntimeError, match='it was left as it is'):
        Gallery(address)
    path.write_bytes(sound)
    with Gallery(address) as opened:
        assert len(opened) == 5


class Recorder:
    """Stands in for a client: notes every call, and does it in a file, whatever the address."""

    file = calls = None

    def __init__(self, uri, **options):
        self.calls.append(('open', options))
        self.client = pymilvus_client(uri=str(self.file), **options)

    def __getattr__(self, name):
        method = getattr(self.client, name)

        def call(*args, **options):
            self.calls.append((name, repr(args), repr(sorted(options.items()))))
            return method(*args, **options)

        return call


pymilvus_client = pymilvus.MilvusClient


def everything(address: str) -> list:
    """What a gallery gives, from its making to its end."""
    shown = pictures(30)
    results = []
    with Gallery(address, *MODEL) as opened:
        results += [opened.add(shown, times=range(30)), opened.add(shown), len(opened)]
    with Gallery(address) as opened:
        results += [opened.search(shown.features[:3], 5, cameras=[1, 2], after=3)]
        results += [opened.remove(shown.names[:4]), opened.holds(shown.names).tolist()]
        return [*results, {k: v for k, v in opened.info().items() if k not in ('address', 'kind')}]


def test_a_server_is_asked_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr('pymilvus.MilvusClient.__repr__', lambda self: 'client', raising=False)
    recorder = type('Recorded', (Recorder,), dict(create_schema=pymilvus_client.create_schema))
    monkeypatch.setattr(gallery, '_MESSAGE', 4 * SIZE * 10)
    monkeypatch.setattr('pymilvus.MilvusClient', recorder)
    seen = {}
    for address in (str(tmp_path / 'embedded.db'), 'http://host:19530'):
        recorder.calls = []
        recorder.file = tmp_path / f'{len(seen)}.db'
        results = everything(address)
        calls = [tuple(hide_addresses(part) for part in call) for call in recorder.calls]
        milvus.disconnect(recorder(''), str(recorder.file))
        seen[address] = (results, calls)
    embedded, server = seen.values()
    assert embedded == server
    names = [call[0] for call in embedded[1]]
    assert names.count('upsert') == 3 and names.count('open') == 2 and 'search' in names


def test_a_name_that_is_no_text_is_refused_before_anything_is_written(address):
    with Gallery(address, *MODEL) as opened:
        with pytest.raises(ValueError, match=r"'a.udcff.jpg' is no text in UTF-8"):
            opened.add(pictures(2, names=['b', 'a\udcff.jpg']))
        assert len(opened) == 0


def hide_addresses(part: object) -> str:
    """An object as text, without its place in memory."""
    return re.sub('0x[0-9a-f]+', '', str(part))
