from pathlib import Path

import pytest
from mmengine.config import Config

from mmvireid.benchmark import Cell, config_hash, final_config
from mmvireid.benchmark.cells import FRAGMENTS, lay_over
from mmvireid.engine.runner.config_check import places_in

ROOT = Path(__file__).parents[2]
FULL = [
    f'configs/{name}/{name}_synthetic.py' for name in ('agw', 'mso', 'dgvae', 'aligngan', 'hicmd')
]


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def images_seen(cfg):
    loader = cfg.train_dataloader
    return cfg.train_cfg.max_epochs * loader.batch_size * loader.batch_sampler.num_batches


@pytest.fixture(scope='module')
def reference():
    return final_config(Cell('configs/agw/agw_synthetic.py', 'equal'))


@pytest.mark.parametrize('config', FULL)
def test_terms_are_equal_and_the_rest_is_the_methods(config, reference):
    own, equal = Config.fromfile(config), final_config(Cell(config, 'equal'))
    for loader in ('train_dataloader', 'test_dataloader'):
        assert equal[loader].dataset.pipeline == reference[loader].dataset.pipeline
    assert equal.test_evaluator == reference.test_evaluator
    budget = Config.fromfile(FRAGMENTS / 'equal_terms.py').images_seen
    assert images_seen(equal) == pytest.approx(budget, rel=0.02)  # whole batches in an epoch
    assert not equal.model.flip_test and equal.model.unit_features
    assert equal.model.get('erasing', dict(p=0.0))['p'] == 0.0
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'default_hooks'):
        assert own[key] == equal[key]
    assert own.model.loss_weights == equal.model.loss_weights


def test_networks_are_told_the_new_size():
    config = 'configs/hicmd/hicmd_synthetic.py'
    keys = [f'{part}_dataloader.dataset.pipeline.0.size' for part in ('train', 'val', 'test')]
    size = dict.fromkeys(keys, (96, 48))
    cell = Cell(config, variant='v', options=size | {'model.input_size': (96, 48)})
    cfg = final_config(cell)
    lay_over(cfg, dict(size))
    assert tuple(cfg.model.input_size) == (96, 48)
    lay_over(cfg, dict.fromkeys(size, (128, 64)))
    assert tuple(cfg.model.input_size) == (128, 64)


@pytest.mark.parametrize('config', FULL)
def test_the_larger_set_is_used_everywhere(config):
    own, larger = Config.fromfile(config), final_config(Cell(config, size='benchmark'))
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert larger[loader].dataset.size == 'benchmark'
        assert larger[loader].dataset.data_root == 'data/synthetic_benchmark'
    found = {part['num_ids'] for _, part in places_in(larger.model, '') if 'num_ids' in _keys(part)}
    assert found == {375}
    assert images_seen(larger) == 2.5 * images_seen(own)


def _keys(part):
    return part if isinstance(part, dict) else ()


def test_the_larger_set_is_that_of_the_config_that_has_it():
    config = final_config(Cell('configs/agw/agw_synthetic-benchmark.py'))
    assert config_hash(config) == config_hash(
        final_config(Cell('configs/agw/agw_synthetic.py', size='benchmark'))
    )


def test_the_hash_is_of_what_figures_hang_on():
    config = 'configs/agw/agw_synthetic.py'
    plain = config_hash(final_config(Cell(config)))
    silent = dict(
        data_root='/elsewhere',
        **{
            'train_dataloader.dataset.cache': 'disk',
            'default_hooks.checkpoint.interval': 1,
            'train_cfg.val_interval': 1,
        },
    )
    assert config_hash(final_config(Cell(config, seed=3))) == plain
    assert config_hash(final_config(Cell(config, variant='v', options=silent))) == plain
    for key, value in {
        'optim_wrapper.optimizer.lr': 0.5,
        'test_evaluator.distance': 'euclidean',
        'model.flip_test': True,
        'train_dataloader.batch_sampler.num_batches': 3,
        'test_dataloader.dataset.pipeline.0.size': (64, 32),
    }.items():
        changed = final_config(Cell(config, variant='v', options={key: value}))
        assert config_hash(changed) != plain, key


def test_a_cell_travels_as_text():
    cell = Cell('c.py', 'equal', 'benchmark', 2, 'fast', {'a.b': 3})
    assert Cell.from_json(cell.to_json()) == cell
    assert cell.name == 'c.fast.equal.benchmark.seed2'


def test_names_of_files_are_plain():
    assert Cell('c.py', variant='a b/c').name == 'c.a_b_c.published.small.seed0'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(rules='mine'), r"`rules` is 'mine', expected one of \['published', 'equal'\]"),
        (dict(size='huge'), "`size` is 'huge', expected one of"),
        (dict(options={'a': 1}), '`variant` is empty'),
    ],
)
def test_bad_cells_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Cell('c.py', **change)
