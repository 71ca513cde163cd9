"""Options hit something, and mean what they say."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config

from mmvireid.commands import read_value
from mmvireid.engine.runner import merge_options, read_config

ROOT = Path(__file__).parents[3]
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ('configs/*/*.py', 'projects/*/configs/*.py')
    for path in ROOT.glob(pattern)
    if '_base_' not in path.parts
)


@pytest.fixture
def cfg():
    return Config.fromfile(ROOT / 'configs/agw/agw_sysu.py')


def found(value, key):
    """Every value of a key, wherever it stands."""
    if isinstance(value, dict):
        here = [value[key]] if key in value else []
        return here + [hit for item in value.values() for hit in found(item, key)]
    if isinstance(value, list | tuple):
        return [hit for item in value for hit in found(item, key)]
    return []


#: Those that train and test on several data sets.
CROSS = [config for config in CONFIGS if '-to-' in config.rpartition('_')[2]]


@pytest.mark.parametrize('config', [config for config in CONFIGS if config not in CROSS])
def test_one_option_moves_every_data_set_and_one_every_number_of_identities(config, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    cfg = read_config(str(ROOT / config), dict(data_root='/there', num_ids=1234))
    loaders = [name for name in cfg if name.endswith('_dataloader') and cfg[name] is not None]
    assert len(loaders) >= 2
    assert all(cfg[name].dataset.data_root == '/there' for name in loaders)
    assert set(found(cfg._cfg_dict.to_dict(), 'data_root')) == {'/there'}
    assert set(found(cfg.model.to_dict(), 'num_ids')) == {1234}
    sampler = cfg.train_dataloader.batch_sampler
    assert 1234 not in found(sampler, 'num_ids')  # identities of a batch: another thing


def folders_of(loader):
    return [part['data_root'] for part in loader.dataset.get('datasets', [loader.dataset])]


@pytest.mark.parametrize('config', CROSS)
def test_a_folder_is_that_of_one_data_set(config):
    path = str(ROOT / config)
    before = read_config(path)
    loaders = [before[name] for name in before if name.endswith('_dataloader') and before[name]]
    folders = [folder for loader in loaders for folder in folders_of(loader)]
    with pytest.raises(ValueError, match='`data_root` is .*, expected a folder for each') as error:
        read_config(path, dict(data_root='/there'))
    assert all(f'({folder})' in str(error.value) for folder in folders)
    for name in re.findall(r'`(\S+\.data_root)` \(', str(error.value)):
        cfg = read_config(path, {name: '/there', 'num_ids': 1234})
        assert found(cfg._cfg_dict.to_dict(), 'data_root').count('/there') == 1
        assert set(found(cfg.model.to_dict(), 'num_ids')) == {1234}


def test_a_config_file_may_have_data_root_at_its_top_level(tmp_path):
    base = ROOT / 'configs/agw/agw_sysu.py'
    (tmp_path / 'own.py').write_text(f"_base_ = {str(base)!r}\ndata_root = '/disk'\n")
    cfg = read_config(str(tmp_path / 'own.py'))
    assert cfg.train_dataloader.dataset.data_root == '/disk'
    assert cfg.test_dataloader.dataset.data_root == '/disk'
    # what is dumped says it once: a child that changes a data set is not overruled
    assert 'data_root' not in cfg
    cfg = read_config(str(tmp_path / 'own.py'), {'test_dataloader.dataset.data_root': '/other'})
    assert cfg.train_dataloader.dataset.data_root == '/disk'
    assert cfg.test_dataloader.dataset.data_root == '/other'


@pytest.mark.parametrize(
    ('option', 'value'),
    {
        'model.backbone.depth': 18,
        'model.backbone.init_cfg': None,
        'model.backbone.plugins': {'layer3': [{'type': 'StripAttentionPlugin', 'reduction': 8}]},
        'model.backbone.plugins.layer4': {'type': 'StripAttentionPlugin'},
        'model.data_preprocessor.channels_last': True,
        'optim_wrapper.optimizer.dampening': 0.5,  # an argument of SGD that no config names
        'optim_wrapper.clip_grad.max_norm': 5,
        'optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult': 0.5,
        'param_scheduler.1.milestones': [5, 10],
        'train_dataloader.prefetch_factor': 4,
        'train_dataloader.dataset.indices': 100,  # of MMEngine's base class
        'train_dataloader.dataset.pipeline.0.size': (64, 32),
        'test_evaluator.shots': [1],  # of the protocol behind the metric
        'default_hooks.checkpoint.save_best': 'auto',
        'default_hooks.ema.type': 'EMAHook',
        'randomness.deterministic': True,
        'load_from': 'a.pth',
        'compile': True,
    }.items(),
)
def test_what_exists_or_is_an_argument_may_be_set(cfg, option, value):
    merge_options(cfg, {option: value})
    node = cfg._cfg_dict
    for part in option.split('.'):
        node = node[int(part)] if part.isdigit() else node[part]
    assert node == value


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [
        ('trian_cfg.max_epochs', 1, 'near: `train_cfg.max_epochs`'),
        ('lr', 0.1, 'near: `optim_wrapper.optimizer.lr`'),
        ('model.backbone.detph', 18, 'near: `model.backbone.depth`'),
        ('optim_wrapper.optimizer.nestrov', True, 'near: `optim_wrapper.optimizer.nesterov`'),
        ('model.loss_weights.idenity', 1, 'near: `model.loss_weights.identity`'),
        ('train_dataloader.num_wrkers', 1, 'near: `train_dataloader.num_workers`'),
        ('default_hooks.checkpoint.intervl', 1, 'near: `default_hooks.checkpoint.interval`'),
        ('randomness.sed', 1, 'near: `randomness.seed`'),
        ('val_dataloader.batch_size', 1, 'a key that the config has'),
        ('train_pipeline.1.padding', 3, 'near: `train_dataloader.dataset.pipeline.1.padding`'),
        ('model.head', dict(num_idz=3), 'near: `model.head.num_ids`'),
        ('model.head.num_ids.x', 3, '`model.head.num_ids` to be a mapping, but it is 395'),
        ('param_scheduler.2.end', 3, 'a number below 2'),
        ('param_scheduler.x.end', 3, 'a number below 2'),
        ('model.backbone', 'resnet', 'expected dict'),
        ('model.type', 'AGV', 'the name of a class'),
        ('train_dataloader', 'x', 'Dict'),
        ('train_dataloader.batch_size', 'a', 'expected a number, such as 64'),
        ('train_dataloader.batch_size', [1, 2], 'expected a number, such as 64'),
        ('model.loss_weights.identity', 'a', 'expected a number'),
        ('load_from', ['a', 'b'], 'expected str | None'),
        ('data_root', 2024, 'expected str'),
        ('num_ids', 'a', 'expected int'),
        ('train_dataloader.dataset.data_root', 1, "data_root=\"'...'\""),
        ('test_evaluator.shots', 1, 'expected Sequence[int]'),
    ],
)  # fmt: skip
def test_what_hits_nothing_or_does_not_fit_is_refused_by_name(cfg, option, value, message):
    name = f'{option}.num_idz' if isinstance(value, dict) else option
    before = cfg._cfg_dict.to_dict()
    with pytest.raises((ValueError, KeyError)) as error:
        merge_options(cfg, {option: value})
    assert str(error.value).startswith(f'merge_options: `{name}` is ')
    assert message in str(error.value)
    assert cfg._cfg_dict.to_dict() == before


def test_nothing_is_set_below_none_but_all_of_it_can_be(cfg):
    cfg.model.backbone.init_cfg = None
    with pytest.raises(ValueError, match=r'`model.backbone.init_cfg.type` is .* it is None'):
        merge_options(cfg, {'model.backbone.init_cfg.type': 'Pretrained'})
    whole = read_value("dict(type='Pretrained', checkpoint='a.pth')")
    merge_options(cfg, {'model.backbone.init_cfg': whole})
    assert cfg.model.backbone.init_cfg.checkpoint == 'a.pth'


def test_another_class_brings_its_own_arguments(cfg):
    options = {'model.triplet_loss.type': 'BatchHardTripletLoss', 'model.triplet_loss.margin': 0.5}
    with pytest.raises(KeyError, match='`model.triplet_loss.eps_mode` is .*BatchHardTripletLoss'):
        merge_options(cfg, options)  # what is left of the other one does not fit
    cfg = Config.fromfile(ROOT / 'configs/agw/agw_sysu.py')
    merge_options(cfg, {'model.triplet_loss._delete_': True, **options})
    assert cfg.model.triplet_loss == dict(type='BatchHardTripletLoss', margin=0.5)
