import csv
import json
import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from mmvireid.evaluation import BaseProtocol, FeatureSet, RetrievalSetting, SYSUProtocol, evaluate
from mmvireid.evaluation.metrics import LLCMMetric, RegDBMetric, SYSUMetric
from mmvireid.evaluation.query_results import load_queries
from mmvireid.registry import METRICS, PROTOCOLS
from mmvireid.structures import ReIDDataSample


def make_samples(flip=False, persons=6, seed=0):
    """Predictions for two images per person and SYSU camera, in the order of a test split."""
    generator = torch.Generator().manual_seed(seed)
    centers, samples = torch.randn(persons, 8, generator=generator), []
    for person in range(persons):
        for camera in range(1, 7):
            for image in range(2):
                sample = ReIDDataSample(
                    metainfo={'name': f'cam{camera}/{person:04d}/{image:04d}.jpg'},
                    person_id=person,
                    camera_id=camera,
                    modality='infrared' if camera in (3, 6) else 'visible',
                )
                sample.feature = centers[person] + torch.randn(8, generator=generator)
                if flip:
                    sample.flip_feature = centers[person] + torch.randn(8, generator=generator)
                samples.append(sample)
    return samples


def run(metric, samples, batch_size=7):
    evaluator = Evaluator(metric)
    protocol = evaluator.metrics[0].protocol.name
    evaluator.dataset_meta = {'dataset': 'sysu_mm01', 'protocol': protocol, 'split': 'test'}
    for start in range(0, len(samples), batch_size):
        evaluator.process(samples[start : start + batch_size])
    return evaluator.evaluate(len(samples))


def feature_set_of(samples, key='feature'):
    return FeatureSet(
        features=torch.stack([sample.get(key) for sample in samples]).numpy(),
        person_ids=[sample.person_id for sample in samples],
        camera_ids=[sample.camera_id for sample in samples],
        modalities=[sample.modality for sample in samples],
        names=[sample.name for sample in samples],
    )


def test_figures_are_those_of_the_features():
    samples = make_samples()
    figures = run(SYSUMetric(shots=[1]), samples)
    feature_set = feature_set_of(samples)
    report = evaluate(feature_set, SYSUProtocol(shots=[1]).settings(feature_set))
    assert figures.keys() == {
        f'sysu/{mode}-1shot/{name}'
        for mode in ('all', 'indoor')
        for name in ('R1', 'R5', 'R10', 'R20', 'mAP', 'mINP')
    }
    for mode in ('all', 'indoor'):
        result = report[f'sysu/{mode}-1shot']
        assert figures[f'sysu/{mode}-1shot/R1'] == pytest.approx(100 * result.cmc[:, 0].mean())
        assert figures[f'sysu/{mode}-1shot/mAP'] == pytest.approx(100 * result.mAP.mean())


def test_figures_do_not_depend_on_the_order_of_arrival():
    samples = make_samples()
    straight = run(SYSUMetric(), samples)
    order = np.random.default_rng(0).permutation(len(samples))
    assert run(SYSUMetric(), [samples[at] for at in order], batch_size=5) == straight


def test_an_image_that_two_processes_saw_counts_once():
    samples = make_samples()
    assert run(SYSUMetric(), samples + samples[:3]) == run(SYSUMetric(), samples)


def test_one_entry_per_sample():
    metric = SYSUMetric()
    metric.process(None, [sample.to_dict() for sample in make_samples()[:5]])
    assert len(metric.results) == 5
    assert all(isinstance(entry['feature'], np.ndarray) for entry in metric.results)


def test_half_precision_features_are_ranked_in_float32():
    samples = make_samples()
    for sample in samples:
        sample.feature = sample.feature.bfloat16()
    metric = SYSUMetric(shots=[1])
    run(metric, samples)
    assert metric.feature_set.features.dtype == np.float32


@pytest.mark.parametrize(
    ('rerank', 'suffix', 'kind'),
    [(True, '-rerank', 'k-reciprocal'), ('aim', '-aim', 'aim')],
)
def test_flip_and_rerank_have_keys_of_their_own(rerank, suffix, kind, tmp_path):
    samples = make_samples(flip=True)
    metric = SYSUMetric(modes=['all'], shots=[1], num_trials=2, rerank=rerank, out_dir=tmp_path)
    figures = run(metric, samples)
    prefixes = {key.split('/')[0] for key in figures}
    assert prefixes == {'sysu', 'sysu-flip', f'sysu{suffix}', f'sysu-flip{suffix}'}
    assert json.loads((tmp_path / 'sysu_report.json').read_text())['provenance']['rerank'] == kind
    raw = run(SYSUMetric(modes=['all'], shots=[1], num_trials=2), make_samples())
    assert figures['sysu-flip/all-1shot/mAP'] != figures['sysu/all-1shot/mAP']
    assert figures[f'sysu{suffix}/all-1shot/mAP'] != figures['sysu/all-1shot/mAP']
    feature_set = feature_set_of(samples)
    report = evaluate(feature_set, SYSUProtocol(['all'], [1], num_trials=2).settings(feature_set))
    mean_ap = 100 * report['sysu/all-1shot'].mAP.mean()
    assert figures['sysu/all-1shot/mAP'] == pytest.approx(mean_ap)
    assert raw.keys() == {key for key in figures if key.startswith('sysu/')}


@pytest.mark.parametrize('flip_sum', ['unit', 'raw'])
def test_mirrored_features_are_added_as_asked(flip_sum, tmp_path):
    samples = make_samples(flip=True)
    options = dict(modes=['all'], shots=[1], num_trials=2)
    metric = SYSUMetric(**options, flip_sum=flip_sum, out_dir=str(tmp_path))
    figures = run(metric, samples)
    for sample in samples:
        both = [sample.feature, sample.flip_feature]
        if flip_sum == 'unit':
            both = [feature / feature.square().sum().sqrt() for feature in both]
        sample.feature = both[0] + both[1]
        del sample.flip_feature
    expected = run(SYSUMetric(**options), samples)
    assert figures['sysu-flip/all-1shot/mAP'] == pytest.approx(expected['sysu/all-1shot/mAP'])
    content = json.loads((tmp_path / 'sysu_report.json').read_text())
    assert content['provenance']['flip'] == flip_sum


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('rerank', [False, True, 'aim'])
@pytest.mark.parametrize('prefix', [None, 'mine'])
def test_keys_are_known_before_and_come_in_this_order(flip, rerank, prefix):
    metric = SYSUMetric(modes=['indoor', 'all'], num_trials=1, rerank=rerank, prefix=prefix)
    assert metric.result_keys(flip) == list(run(metric, make_samples(flip)))


@pytest.mark.parametrize('metric', [RegDBMetric, LLCMMetric])
def test_other_protocols_know_theirs(metric):
    metric = metric()
    assert metric.result_keys() == list(run(metric, make_samples()))


@dataclass(frozen=True)
class FirstCamera(BaseProtocol):
    """Infrared images ask those of camera 1."""

    camera: int = 1
    name: ClassVar[str] = 'first'

    @property
    def setting_names(self):
        return [f'first/camera{self.camera}']

    def settings(self, feature_set):
        queries = np.flatnonzero(feature_set.modalities == 'infrared')
        gallery = np.flatnonzero(feature_set.camera_ids == self.camera)
        name = self.setting_names[0]
        return [RetrievalSetting(name, (queries,), (gallery,), gallery, rank_by='image')]


def test_any_registered_protocol_is_evaluated(monkeypatch):
    monkeypatch.setitem(PROTOCOLS.module_dict, 'FirstCamera', FirstCamera)
    samples = make_samples()
    metric = METRICS.build(
        dict(type='RetrievalMetric', protocol=dict(type='FirstCamera', camera=2))
    )
    figures = run(metric, samples)
    assert list(figures) == metric.result_keys()

    def cosine(one, two):
        return float(torch.cosine_similarity(one.feature, two.feature, dim=0))

    infrared = [s for s in samples if s.modality == 'infrared']
    gallery = [s for s in samples if s.camera_id == 2]
    right = [
        max(gallery, key=lambda other: cosine(sample, other)).person_id == sample.person_id
        for sample in infrared
        if sample.person_id in {other.person_id for other in gallery}
    ]
    assert figures['first/camera2/R1'] == pytest.approx(100 * np.mean(right))


def test_figures_are_those_that_are_asked_for():
    options = dict(modes=['all'], shots=[1], num_trials=2)
    every = run(SYSUMetric(**options), make_samples())
    some = run(SYSUMetric(scores=['mAP', 'R2'], **options), make_samples())
    assert list(some) == ['sysu/all-1shot/mAP', 'sysu/all-1shot/R2']
    assert some['sysu/all-1shot/mAP'] == every['sysu/all-1shot/mAP']
    assert every['sysu/all-1shot/R1'] <= some['sysu/all-1shot/R2'] <= every['sysu/all-1shot/R5']


@pytest.mark.parametrize('scores', ['mAP', [], ['map'], ['R0'], ['R1', 'Rank5'], [5]])
def test_unknown_figures_are_named(scores):
    with pytest.raises(ValueError, match='`scores` is .*, expected some of'):
        SYSUMetric(scores=scores)


@pytest.mark.parametrize(
    ('metric', 'message'),
    [
        (dict(type='RetrievalMetric'), '`protocol` is None, expected dict'),
        (dict(type='RetrievalMetric', protocol='sysu'), "`protocol` is 'sysu', expected dict"),
        (dict(type='RetrievalMetric', modes=['all']), r"`modes` is \['all'\], expected one of the"),
        (
            dict(type='SYSUMetric', protocol=dict(type='RegDBProtocol')),
            'expected no such key: sysu',
        ),
    ],
)
def test_a_metric_without_its_protocol_is_refused(metric, message):
    with pytest.raises(TypeError, match=message):
        METRICS.build(metric)


def test_data_of_another_protocol_are_refused_before_anything_runs():
    """Their figures would look plausible."""
    evaluator = Evaluator(SYSUMetric())
    with pytest.raises(ValueError, match="images of regdb, test, expected data of protocol 'sysu'"):
        evaluator.dataset_meta = dict(dataset='regdb', protocol='regdb', split='test')
    evaluator.dataset_meta = dict(dataset='mine')  # says nothing


def test_a_prefix_tells_two_of_one_protocol_apart(tmp_path):
    options = dict(modes=['all'], shots=[1], num_trials=1, out_dir=tmp_path)
    metrics = [SYSUMetric(**options), SYSUMetric(prefix='far', distance='euclidean', **options)]
    figures = run(metrics, make_samples())
    assert {key.rpartition('/')[0] for key in figures} == {'sysu/all-1shot', 'far/sysu/all-1shot'}
    assert (tmp_path / 'sysu_report.json').exists() and (tmp_path / 'far_sysu_trials.csv').exists()


def test_a_full_disk_takes_no_figures_with_it(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    metric = SYSUMetric(num_trials=1, out_dir=tmp_path / 'new', save_features=tmp_path / 'f.npz')
    expected = run(SYSUMetric(num_trials=1), make_samples())
    monkeypatch.setattr(np, 'savez', full)
    monkeypatch.setattr(csv, 'writer', full)
    assert run(metric, make_samples()) == expected
    assert [reason.split(' cannot')[0] for reason in metric.unwritten] == [
        str(tmp_path / 'f.npz'),
        str(tmp_path / 'new'),
    ]
    monkeypatch.setattr(np, 'savez', lambda *args: int('a bug'))
    with pytest.raises(TypeError):
        run(metric, make_samples())


def test_files_say_where_the_numbers_come_from(tmp_path):
    metric = SYSUMetric(
        modes=['all'],
        shots=[1],
        num_trials=3,
        distance='euclidean',
        out_dir=str(tmp_path / 'new'),
        save_features=str(tmp_path / 'f.npz'),
        provenance={'checkpoint': 'epoch_3.pth'},
    )
    samples = make_samples()
    figures = run(metric, samples)
    content = json.loads((tmp_path / 'new' / 'sysu_report.json').read_text())
    assert content['provenance'] == {
        'protocol': 'sysu', 'dataset': 'sysu_mm01', 'split': 'test', 'num_images': 72,
        'num_ids': 6, 'feature_size': 8, 'distance': 'euclidean',
        'flip': False, 'rerank': False, 'modes': ['all'], 'shots': [1], 'gallery': 'seeded',
        'rand_perm_file': None, 'num_trials': 3, 'checkpoint': 'epoch_3.pth',
        'test_data': {'dataset': 'sysu_mm01', 'protocol': 'sysu', 'split': 'test'}}  # fmt: skip
    mean_ap = figures['sysu/all-1shot/mAP']
    assert 100 * content['results']['sysu/all-1shot']['mAP'] == pytest.approx(mean_ap)
    queries, source = load_queries(tmp_path / 'new' / 'sysu_queries.npz')
    assert source['test_data'] == dict(dataset='sysu_mm01', protocol='sysu', split='test')
    assert source['checkpoint'] == 'epoch_3.pth'
    scores = queries['sysu/all-1shot'].by_identity('sysu/all-1shot')
    assert scores.figure('mAP') == pytest.approx(figures['sysu/all-1shot/mAP'], abs=1e-4)
    with open(tmp_path / 'new' / 'sysu_trials.csv') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert np.mean([float(row['mAP']) for row in rows]) == pytest.approx(mean_ap, abs=1e-3)
    saved = FeatureSet.load(tmp_path / 'f.npz')
    np.testing.assert_array_equal(saved.features, feature_set_of(samples).features[
        np.argsort([sample.name for sample in samples])])  # fmt: skip


def test_table_has_the_chance_level():
    metric = SYSUMetric(modes=['indoor'], shots=[1])
    figures = run(metric, make_samples())
    lines = metric.table().splitlines()
    assert lines[2].startswith('sysu/indoor-1shot')
    assert f'{figures["sysu/indoor-1shot/R1"]:.2f} ±' in lines[2]
    assert lines[3].split()[0] == 'chance'
    # the training data are said where they are of another name
    for name, added in (('sysu_mm01', []), ('regdb + llcm', ['Trained on: regdb + llcm, train.'])):
        metric.provenance = dict(trained_on=dict(dataset=name, split='train'))
        assert metric.table().splitlines()[4:] == ['Test data: sysu_mm01, test.', *added]


def test_every_protocol_has_a_registered_metric_without_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        for cls in (SYSUMetric, RegDBMetric, LLCMMetric):
            assert type(METRICS.build({'type': cls.__name__})) is cls
    assert not caplog.records


@pytest.mark.parametrize(
    ('kwargs', 'error', 'message'),
    [
        ({'modes': ['outdoor']}, ValueError, '`modes` is'),
        ({'distance': 'l1'}, ValueError, 'SYSUMetric: `distance` is'),
        ({'gallery': 'official'}, FileNotFoundError, '`rand_perm_file` is None'),
        ({'direction': 'up'}, TypeError, "SYSUMetric: `direction` is 'up', expected .* num_trials"),
        ({'shots': 1}, ValueError, '`shots` is 1, expected .* a list'),
        ({'shots': [1.5]}, ValueError, r'`shots` is \[1.5\]'),
        ({'num_trials': 2.5}, ValueError, '`num_trials` is 2.5, expected .* a whole number'),
        ({'num_trials': None}, ValueError, '`num_trials` is None'),
        ({'modes': [['all']]}, ValueError, '`modes` is'),
        ({'rerank': 'yes'}, TypeError, "SYSUMetric: `rerank` is 'yes', expected True or False"),
    ],
)
def test_a_wrong_option_fails_when_the_metric_is_built(kwargs, error, message):
    with pytest.raises(error, match=message):
        SYSUMetric(**kwargs)


def test_a_feature_that_is_not_finite_is_named():
    samples = make_samples()
    samples[10].feature[3] = float('nan')
    with pytest.raises(ValueError, match=f'NaN .*{samples[10].name}'):
        run(SYSUMetric(), samples)
