"""Labels, held-out identities, errors and seeded loading, on trees of SYSU-MM01."""

import pickle
import random
import re
from multiprocessing.reduction import ForkingPickler
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import DistSamplerSeedHook
from mmengine.runner import Runner

from mmvireid.datasets import SYSUMM01, SeededIndex
from mmvireid.models.data_preprocessors import ReIDDataPreprocessor

LOAD = {'type': 'LoadReIDImage', 'size': (12, 6)}
AUGMENT = [
    LOAD,
    {'type': 'RandomPadCrop', 'padding': 4},
    {'type': 'RandomFlip', 'prob': 0.5},
    {'type': 'RandomErasing', 'prob': 0.5},
    {'type': 'PackReIDInputs'},
]


def person_ids(dataset):
    return {dataset.get_data_info(index)['person_id'] for index in range(len(dataset))}


@pytest.fixture
def unpaired_root(tmp_path, write_sysu):
    counts = {(1, 1): 1, (3, 1): 1, (1, 4): 2, (6, 6): 1, (2, 9): 1, (6, 9): 1}
    return write_sysu(tmp_path / 'unpaired', counts, train=[1, 4, 6, 9], test=[4, 6])


def test_one_modality_identities_are_named(unpaired_root):
    message = r'2 identities of split .train.*: 4 \(visible\), 6 \(infrared\).*`drop_unpaired=True`'
    with pytest.raises(ValueError, match=message):
        SYSUMM01(unpaired_root, 'train')


def test_one_modality_identities_can_be_dropped(unpaired_root):
    dataset = SYSUMM01(unpaired_root, 'train', drop_unpaired=True)
    labels = {(row['person_id'], row['gt_label']) for row in map(dataset.get_data_info, range(4))}
    assert labels == {(1, 0), (9, 1)} and len(dataset) == 4


def test_the_test_split_keeps_one_modality_identities(unpaired_root):
    assert person_ids(SYSUMM01(unpaired_root, 'test')) == {4, 6}


def test_dropping_comes_before_holding_out(unpaired_root):
    heldout = SYSUMM01(unpaired_root, 'train', drop_unpaired=True, num_heldout_ids=1, heldout=True)
    assert person_ids(heldout) < {1, 9}


def test_missing_root_names_the_config_key_and_the_renderer(tmp_path):
    message = r'SYSUMM01: `data_root` is .*nowhere.*config key `data_root`.*render_synthetic'
    with pytest.raises(FileNotFoundError, match=message):
        SYSUMM01(tmp_path / 'nowhere', 'train')


def test_lazy_initialisation_reads_nothing(tmp_path):
    dataset = SYSUMM01(tmp_path / 'nowhere', 'train', lazy_init=True)
    with pytest.raises(FileNotFoundError):
        dataset.full_init()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'split': 'gallery'}, r'SYSUMM01: `split` is .gallery., expected one of'),
        ({'cache': 'tape'}, r"`cache` is 'tape', expected None, 'auto', 'ram' or 'disk'"),
        ({'num_heldout_ids': -1}, r'`num_heldout_ids` is -1, expected 0'),
        ({'num_heldout_ids': 1, 'split': 'test'}, r'`num_heldout_ids` is 1, expected 0'),
        ({'num_heldout_ids': 4}, r'`num_heldout_ids` is 4, expected at most 3'),
        ({'heldout': True}, r'`heldout` is True, expected `num_heldout_ids` above 0'),
        ({'cache': 'ram'}, r'expected a pipeline with one LoadReIDImage'),
        ({'on_unreadable': 'replace'}, r'expected a pipeline with one LoadReIDImage'),
        ({'on_unreadable': 'skip'}, r"`on_unreadable` is 'skip', expected 'stop' or 'replace'"),
        (
            {'on_unreadable': 'replace', 'split': 'test'},
            r"`on_unreadable` is 'replace', expected 'stop' .*`split` is 'test'.*falsify",
        ),
        (
            {'on_unreadable': 'replace', 'num_heldout_ids': 1, 'heldout': True},
            r"`on_unreadable` is 'replace', expected 'stop' .*`heldout` is True",
        ),
    ],
)
def test_bad_arguments(sysu_root, options, message):
    with pytest.raises(ValueError, match=message):
        SYSUMM01(**{'data_root': sysu_root, 'split': 'train', **options})


def test_no_image_left(tmp_path, write_sysu):
    root = write_sysu(tmp_path / 'empty', {})
    with pytest.raises(ValueError, match=r'no image of split .train. is left'):
        SYSUMM01(root, 'train')


def test_an_item_is_its_image_and_annotation(sysu_root, write_image):
    dataset = SYSUMM01(sysu_root, 'test', pipeline=[LOAD, {'type': 'PackReIDInputs'}])
    item = dataset[0]
    pixels = write_image(sysu_root / 'cam2' / '0009' / '0001.png')
    assert torch.equal(item['inputs'], torch.from_numpy(pixels).permute(2, 0, 1))
    sample = item['data_samples']
    assert (sample.person_id, sample.gt_label, sample.camera_id) == (9, -1, 2)
    assert (sample.modality, sample.name, sample.sample_idx) == ('visible', 'cam2/0009/0001.png', 0)


def test_a_zero_byte_image_is_named(sysu_root):
    path = sysu_root / 'cam1' / '0002' / '0001.png'
    path.write_bytes(b'')
    dataset = SYSUMM01(sysu_root, 'train', pipeline=[LOAD])
    with pytest.raises(ValueError, match=rf'cannot read {path}.*check_dataset'):
        dataset[0]


def test_an_error_of_a_transform_has_a_note_of_the_image(sysu_root):
    def fail(results):
        raise KeyError('depth')

    with pytest.raises(KeyError) as error:
        SYSUMM01(sysu_root, 'train', pipeline=[LOAD, fail])[0]
    path = sysu_root / 'cam1' / '0002' / '0001.png'
    assert error.value.__notes__ == [f'The image was {path}.']


#: Images of identity 30: in list order, and cyclic, the visible ones and the infrared ones.
VISIBLE_30 = ['cam1/0030/0001.png', 'cam1/0030/0002.png', 'cam4/0030/0001.png']
INFRARED_30 = ['cam3/0030/0001.png', 'cam3/0030/0002.png']


def replacing(root, **options):
    options = {'on_unreadable': 'replace', 'pipeline': AUGMENT} | options
    return SYSUMM01(root, 'train', **options)


@pytest.mark.parametrize('cache', [None, 'ram', 'disk'])
@pytest.mark.parametrize(
    ('broken', 'replacements'),
    [
        (VISIBLE_30[:1], VISIBLE_30[1:2]),
        (VISIBLE_30[:2], [VISIBLE_30[2]] * 2),
        (VISIBLE_30[2:], VISIBLE_30[:1]),  # the end of the list comes before its start
        (INFRARED_30[1:], INFRARED_30[:1]),
    ],
)
def test_the_next_image_of_the_identity_and_modality_replaces(
    sysu_root, cache, broken, replacements
):
    whole = replacing(sysu_root, cache=None)
    rows = {whole.get_data_info(index)['name']: index for index in range(len(whole))}
    expected = [whole[SeededIndex(rows[name], 5)] for name in replacements]
    for name in broken:
        (sysu_root / name).write_bytes(b'')
    dataset = replacing(sysu_root, cache=cache, cache_dir=str(sysu_root / 'cache'))
    for _ in range(2):  # from the cache, too
        for name, wanted in zip(broken, expected, strict=True):
            found = dataset[SeededIndex(rows[name], 5, 'pixel')]
            assert torch.equal(found['inputs'], wanted['inputs'])
            sample = found['data_samples']
            assert sample.name == wanted['data_samples'].name
            assert sample.camera_id == wanted['data_samples'].camera_id
            assert (sample.person_id, sample.block) == (30, 'pixel')
            assert 'replaced' in sample.metainfo and sample.replaced == str(sysu_root / name)
    untouched = dataset[rows['cam1/0007/0001.png']]['data_samples']
    assert untouched.name == 'cam1/0007/0001.png' and 'replaced' not in untouched


def test_a_loader_replaces_alike_with_any_number_of_workers(sysu_root):
    for name in (VISIBLE_30[0], INFRARED_30[0]):
        (sysu_root / name).unlink()
        (sysu_root / name).touch()

    def replaced(num_workers):
        found = []
        for batch in build_loader(sysu_root, num_workers, on_unreadable='replace'):
            found.append(batch['inputs'].sum().item())
            found.extend((s.name, s.get('replaced')) for s in batch['data_samples'])
        return found

    alone = replaced(0)
    names = [str(sysu_root / name) for name in (VISIBLE_30[0], INFRARED_30[0])]
    assert {found[1] for found in alone if isinstance(found, tuple)} == {None, *names}
    assert replaced(2) == alone


@pytest.mark.parametrize('cache', [None, 'ram'])
def test_an_identity_without_a_readable_image_stops(sysu_root, cache):
    for name in INFRARED_30:
        (sysu_root / name).write_bytes(b'')
    dataset = replacing(sysu_root, cache=cache)
    rows = [dataset.get_data_info(index)['name'] for index in range(len(dataset))]
    path = re.escape(str(sysu_root / INFRARED_30[0]))
    message = rf'SYSUMM01: identity 30 has no readable infrared image .*cannot read {path}'
    with pytest.raises(ValueError, match=message):
        dataset[rows.index(INFRARED_30[0])]


def test_only_unreadable_images_are_replaced(sysu_root):
    def refuse(results):
        raise ValueError('a mistake in a transform')

    with pytest.raises(ValueError, match='a mistake in a transform'):
        replacing(sysu_root, pipeline=[LOAD, refuse])[0]


def test_a_transform_may_draw_from_torch(sysu_root):
    """With and without workers, and whatever the main process draws in between."""

    def darken(results):
        results['img'] = (results['img'] * torch.rand(1).item()).astype(np.uint8)
        return results

    def batches(num_workers):
        loader = build_loader(
            sysu_root, num_workers, pipeline=[LOAD, darken, {'type': 'PackReIDInputs'}]
        )
        for batch in loader:
            yield batch['inputs'], torch.rand(1)

    torch.manual_seed(11)
    alone = list(batches(0))
    torch.manual_seed(12)
    other = list(batches(0))
    for (first, drawn), (second, drawn_otherwise), (third, _) in zip(
        alone, other, batches(2), strict=True
    ):
        assert torch.equal(first, second) and torch.equal(first, third)
        assert drawn != drawn_otherwise


def test_a_transform_must_not_drop_an_image(sysu_root):
    dataset = SYSUMM01(sysu_root, 'train', pipeline=[LOAD, lambda results: None])
    with pytest.raises(ValueError, match=r'returned None for .*0001\.png'):
        dataset[0]


def test_a_seed_fixes_the_augmentation_and_leaves_the_generators_alone(sysu_root):
    dataset = SYSUMM01(sysu_root, 'train', pipeline=AUGMENT)
    random.seed(3)
    numpy_bits = np.random.get_bit_generator()
    expected = random.random(), numpy_bits.ctypes.bit_generator.value
    random.seed(3)
    first = dataset[SeededIndex(1, 5)]['inputs']
    assert (random.random(), np.random.get_bit_generator().ctypes.bit_generator.value) == expected
    assert torch.equal(first, dataset[SeededIndex(1, 5)]['inputs'])
    others = [dataset[SeededIndex(1, seed)]['inputs'] for seed in range(6, 12)]
    assert any(not torch.equal(first, other) for other in others)


def test_the_block_of_an_index_is_there_for_the_pipeline_and_in_the_sample(sysu_root):
    seen = []
    watch = lambda results: seen.append(results.get('block', 'absent')) or results  # noqa: E731
    dataset = SYSUMM01(sysu_root, 'train', pipeline=[LOAD, watch, {'type': 'PackReIDInputs'}])
    sample = dataset[SeededIndex(1, 5, 'pixel')]['data_samples']
    assert sample.block == 'pixel' and 'block' in sample.metainfo
    for index in (SeededIndex(1, 5), 1):
        assert 'block' not in dataset[index]['data_samples']
    assert seen == ['pixel', 'absent', 'absent']


def test_the_block_reaches_the_model_through_workers(sysu_root):
    loader = Runner.build_dataloader(
        {
            'dataset': SYSUMM01(sysu_root, 'train', pipeline=AUGMENT),
            'sampler': {'type': 'DefaultSampler'},
            'batch_sampler': {
                'type': 'mmvireid.BlockBatchSampler',
                'blocks': {
                    'feature': {'num_ids': 3, 'num_instances': 2},
                    'pixel': {'num_ids': 2, 'num_instances': 1},
                },
                'num_batches': 3,
            },
            'batch_size': 16,
            'num_workers': 2,
            'collate_fn': {'type': 'mmvireid.reid_collate'},
        },
        seed=4,
    )
    batches = [ReIDDataPreprocessor()(batch) for batch in loader]
    assert len(batches) == 3
    for batch in batches:
        for name, size in [('feature', 6), ('pixel', 2)]:
            samples = batch['data_samples'][name]
            labels = [sample.gt_label for sample in samples]
            assert labels[:size] == labels[size:]
            assert [s.modality for s in samples] == ['visible'] * size + ['infrared'] * size
            assert batch['inputs'][name]['visible'].shape == (size, 3, 12, 6)
            assert batch['inputs'][name]['infrared'].shape == (size, 3, 12, 6)


def build_loader(root, num_workers, **options):
    return Runner.build_dataloader(
        {
            'dataset': SYSUMM01(root, 'train', **{'pipeline': AUGMENT, **options}),
            'sampler': {'type': 'DefaultSampler'},
            'batch_sampler': {
                'type': 'mmvireid.CrossModalityBatchSampler',
                'num_ids': 2,
                'num_instances': 2,
            },
            'batch_size': 8,
            'num_workers': num_workers,
            'collate_fn': {'type': 'mmvireid.reid_collate'},
            'worker_init_fn': {'type': 'mmvireid.reid_worker_init'},
        },
        seed=4,
    )


def test_batches_do_not_depend_on_the_number_of_workers(sysu_root):
    alone, shared = (list(build_loader(sysu_root, workers)) for workers in (0, 2))
    assert len(alone) == len(shared) == 9 // 4 + 1
    for left, right in zip(alone, shared):
        assert left['inputs'].shape == (8, 3, 12, 6) and left['inputs'].dtype == torch.uint8
        assert torch.equal(left['inputs'], right['inputs'])
        samples = left['data_samples']
        assert [s.name for s in samples] == [s.name for s in right['data_samples']]
        assert [s.modality for s in samples] == ['visible'] * 4 + ['infrared'] * 4
        labels = [s.gt_label for s in samples]
        assert labels == [labels[0]] * 2 + [labels[2]] * 2 + [labels[0]] * 2 + [labels[2]] * 2


def test_mmengines_hook_sets_the_epoch(sysu_root):
    loader = build_loader(sysu_root, 0)
    first = [sample.name for batch in loader for sample in batch['data_samples']]
    DistSamplerSeedHook().before_train_epoch(
        SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader), epoch=3)
    )
    assert loader.batch_sampler.sampler.epoch == 3
    assert [sample.name for batch in loader for sample in batch['data_samples']] != first


@pytest.mark.parametrize('cache', ['ram', 'disk'])
def test_a_data_set_travels_to_a_spawned_worker(sysu_root, cache):
    dataset = SYSUMM01(sysu_root, 'train', pipeline=AUGMENT, cache=cache)
    dataset[0]
    (sysu_root / 'cam1' / '0002' / '0001.png').unlink()
    travelled = pickle.loads(ForkingPickler.dumps(dataset))
    assert torch.equal(travelled[SeededIndex(0, 1)]['inputs'], dataset[SeededIndex(0, 1)]['inputs'])
    travelled[1]
    (sysu_root / 'cam1' / '0002' / '0002.png').unlink()
    assert dataset[1]['inputs'].shape == (3, 12, 6)  # filled by the other


def test_spawned_workers_load_the_same(sysu_root):
    spawned = build_loader(sysu_root, 1, cache='ram')
    spawned.multiprocessing_context = 'spawn'
    for left, right in zip(build_loader(sysu_root, 0), spawned, strict=True):
        assert torch.equal(left['inputs'], right['inputs'])
