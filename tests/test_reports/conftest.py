"""Work dirs as train.py and test.py leave them, without any training."""

import json
from html.parser import HTMLParser
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.feature_set import COLUMNS
from mmvireid.evaluation.metrics import SYSUMetric
from mmvireid.reports import read_run

CAMERAS, NUM_IDS = (1, 2, 3, 4, 5, 6), 8


def make_features(noise: float, seed: int = 0) -> FeatureSet:
    """Two images of everyone before all cameras; the less noise, the better."""
    random = np.random.default_rng(seed)
    rows = [(p, c, i) for c in CAMERAS for p in range(1, NUM_IDS + 1) for i in (1, 2)]
    ids, cameras, _ = np.array(rows).T
    values = np.eye(NUM_IDS + 1)[ids] + noise * random.standard_normal((len(ids), NUM_IDS + 1))
    modalities = np.where(np.isin(cameras, (3, 6)), 'infrared', 'visible')
    names = [f'cam{c}/{p:04d}/{i:04d}.png' for p, c, i in rows]
    return FeatureSet(values, ids, cameras, modalities, names)


def leave_test(folder, noise=0.8, source=None, save_features=True, **options) -> SYSUMetric:
    """What test.py leaves in a work dir."""
    features = make_features(noise)
    metric = SYSUMetric(
        out_dir=str(folder), **dict(modes=['all'], shots=[1], num_trials=3) | options
    )
    saved = folder / 'features.npz' if save_features else None
    metric.save_features = saved and str(saved)
    metric.provenance = dict(
        checkpoint='epoch_2.pth', selection='epoch 2', features=saved and str(saved),
        data_root=str(folder.parent / 'data'), **(source or {}),
    )  # fmt: skip
    metric.dataset_meta = dict(dataset='sysu_mm01', split='test') | (source or {})
    rows = [
        {key: getattr(features, column)[i] for column, key in COLUMNS.items() if column != 'rooms'}
        | dict(feature=features.features[i])
        for i in range(len(features))
    ]
    metric.compute_metrics(rows)
    return metric


def leave_start(folder, time, lines, **record):
    """What one start of train.py leaves: ``lines`` are dicts, or text as it stands in the file."""
    vis_data = folder / time / 'vis_data'
    vis_data.mkdir(parents=True)
    texts = [line if isinstance(line, str) else json.dumps(line) + '\n' for line in lines]
    (vis_data / 'scalars.json').write_text(''.join(texts))
    if record:
        (folder / time / 'run.json').write_text(json.dumps(record))


def line(step, epoch=1, **values):
    """A line of the log after an iteration."""
    return dict(values, epoch=epoch, iter=step, step=step, time=0.1)


@pytest.fixture
def images(tmp_path):
    """The pictures of the test split, below ``data``, each of another grey."""
    for row, name in enumerate(make_features(1).names):
        path = tmp_path / 'data' / str(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((6, 3, 3), 2 * row, np.uint8))


@pytest.fixture
def make_run(tmp_path):
    """``make_run('a', noise=0.8, record=dict(...))``: a run with a training and a test, read."""

    def make(name, noise=0.8, record=None, tested=True, **options):
        folder = tmp_path / name
        lines = [line(s, 1 + (s > 2), loss=9.0 - s, lr=0.1, grad_norm=2.0) for s in range(1, 5)]
        lines.insert(2, {'sysu/all-1shot/R1': 50.0, 'time': 1.0, 'step': 1})
        leave_start(
            folder, '20260101_000000', lines, **{'epoch_length': 2, 'begins_at': 0} | (record or {})
        )
        if tested:
            leave_test(folder, noise, **options)
        return read_run(folder, name)

    return make


class Page(HTMLParser):
    """What a browser finds on a page: its tags with their attributes, its text and its plots."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.texts, self.captions, self.plots = [], [], [], []
        self._last = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._last = self.tags[-1]

    def handle_data(self, data):
        tag, attributes = self._last
        if attributes.get('type') == 'application/json':
            self.plots.append(json.loads(data))
        else:
            self.texts.append(data.strip())
        if tag == 'figcaption':
            self.captions.append(data)
        self._last = None, {}

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    @property
    def text(self) -> str:
        return ' '.join(filter(None, self.texts))


@pytest.fixture
def parse():
    """``parse(html)``: see :class:`Page`."""
    return Page


@pytest.fixture
def leave():
    """What makes a work dir: ``leave.start``, ``leave.test`` and what they are made of."""
    return SimpleNamespace(start=leave_start, test=leave_test, line=line, features=make_features)
