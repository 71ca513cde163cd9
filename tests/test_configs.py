"""Every config is built as it stands, and trained and tested after shrinking."""

import ast
from collections import Counter
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmvireid.engine.runner import forget_weights
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ('configs/*/*.py', 'projects/*/configs/*.py')
    for path in ROOT.glob(pattern)
    if '_base_' not in path.parts
)
VARIANTS = [config for config in CONFIGS if '-' in Path(config).stem]

#: Variants are trained on one real data set: what is left of the others, when shrunk, is the same.
TRAINED = [
    config
    for config in CONFIGS
    if config not in VARIANTS
    or not config.endswith('_regdb.py')
    or config.replace('_regdb.py', '_sysu.py') not in CONFIGS
]


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    """``custom_imports`` of a project starts from the folder that commands are run in."""
    monkeypatch.syspath_prepend(str(ROOT))


def test_there_are_configs():
    methods = ('agw', 'aligngan', 'bdtr', 'caj', 'deen', 'dgvae', 'dns', 'expat', 'hat', 'hct',
               'hicmd', 'hpiln', 'hsme', 'lba', 'mpanet', 'mscmnet', 'mso', 'pmt', 'rle', 'tslfn',
               'xiv')  # fmt: skip
    controls = ('onestream', 'twostream', 'zeropadding')
    expected = {f'configs/{name}/{name}_sysu.py' for name in methods}
    assert expected | {f'configs/streams/{name}_sysu.py' for name in controls} <= set(CONFIGS)


def values(statement):
    """Constants of a statement; what stands in brackets is a place: `stages[1]`."""
    places = {
        id(node)
        for found in ast.walk(statement)
        if isinstance(found, ast.Subscript)
        for node in ast.walk(found.slice)
    }
    return [
        node.value
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and id(node) not in places
    ]


@pytest.mark.parametrize(
    'method', sorted(path.parent.name for path in ROOT.glob('configs/*/metafile.yml'))
)
def test_what_a_row_changes_stands_once(method):
    """Configs of a method may refer to the same values, but none says a value that another says."""
    counts = Counter(
        ast.unparse(statement)
        for path in (ROOT / 'configs' / method).glob('*.py')
        for statement in ast.parse(path.read_text()).body
        if ast.unparse(statement).partition(' = ')[0] != '_base_' and values(statement)
    )
    assert [statement for statement, count in counts.items() if count > 1] == []


@pytest.mark.parametrize('config', [name for name in VARIANTS if name.startswith('configs')])
def test_a_variant_is_a_short_child(config):
    lines = (ROOT / config).read_text().splitlines()
    assert sum(not line.lstrip().startswith('#') for line in lines if line) <= 15


@pytest.mark.parametrize('config', CONFIGS)
def test_it_is_built_as_it_stands(config, no_initial_values):
    cfg = Config.fromfile(ROOT / config)
    forget_weights(cfg.model)
    with torch.device('meta'):  # shapes without values
        model = MODELS.build(cfg.model)
        build_optim_wrapper(model, cfg.optim_wrapper)
    assert cfg.default_scope == 'mmvireid'
    assert cfg.randomness.seed is not None
    assert Config.fromstring(cfg.pretty_text, '.py').model == cfg.model


#: Whose images are drawn with replacement: AGW's, as released, and what builds on its configs.
METHODS_WITH_REPLACEMENT = (
    'agw', 'caj', 'deen', 'dns', 'hct', 'hpiln', 'hsme', 'lba', 'mscmnet', 'mso', 'rle', 'streams',
)  # fmt: skip
WITH_REPLACEMENT = (*(f'configs/{name}/' for name in METHODS_WITH_REPLACEMENT), 'projects/')


@pytest.mark.parametrize('config', CONFIGS)
def test_images_are_drawn_and_resized_alike(config):
    """With replacement only as in AGW; real ones by Pillow, in training and test."""
    cfg = Config.fromfile(ROOT / config)
    sampler = cfg.train_dataloader.batch_sampler
    blocks = sampler.get('blocks', dict(one=sampler)).values()
    found = [block.get('replace', False) for block in blocks]
    assert found == [config.startswith(WITH_REPLACEMENT)] * len(found)
    datasets = [cfg.train_dataloader.dataset, cfg.test_dataloader.dataset]
    loaders = [dataset.pipeline[0] for dataset in datasets]
    assert loaders[0] == loaders[1]
    if config.endswith(('_sysu.py', '_regdb.py', '_llcm.py')):
        assert loaders[0].backend == 'pillow'


class Recorder(Hook):
    """Copies of a model's state before training and at the end of every epoch, and its calls."""

    def __init__(self, model):
        self.states = [self.copy(model)]
        self.called = [set()]  # by epoch, children that took part in training
        for name, child in model.named_children():
            child.register_forward_pre_hook(self.note(model, name))

    @staticmethod
    def copy(model):
        return {key: value.clone() for key, value in model.state_dict().items()}

    def note(self, model, name):
        # a frozen child is in evaluation mode in training, too: the model is asked
        return lambda *_: self.called[-1].add(name) if model.training else None

    def after_train_epoch(self, runner):
        self.states.append(self.copy(runner.model))
        self.called.append(set())

    def moved(self, before=0, after=-1):
        """Keys of what changed between two epochs."""
        old, new = self.states[before], self.states[after]
        return {key for key in new if not torch.equal(old[key], new[key])}


def owners(keys):
    """Children of the model that parameters or buffers belong to."""
    return {key.split('.')[0] for key in keys}


def declared(cfg, model, stage):
    """Children that the updates of a stage move, after the table of optimisers."""
    updates = getattr(model, 'updates', None)
    if not updates:
        return {name for name, _ in model.named_children()}
    optimizers = {key for update in stage.get('updates') or updates for key in updates[update]}
    return {child for key in optimizers for child in cfg.optim_wrapper[key].modules}


@pytest.mark.parametrize('config', TRAINED)
def test_it_trains_and_evaluates(config, shrink):
    cfg = shrink(str(ROOT / config))
    runner = Runner.from_cfg(cfg)
    recorder = Recorder(runner.model)
    runner.register_hook(recorder)
    runner.train()
    stages = cfg.default_hooks.get('stage', dict(stages=[{}]))['stages']
    assert runner.iter == 2 * len(stages)
    parameters = dict(runner.model.named_parameters())
    with_state = owners(recorder.states[0])
    for epoch, stage in enumerate(stages):
        # what takes part and is moved by an update is trained unless it is frozen; the rest,
        # buffers included, is not touched
        took_part = recorder.called[epoch] & with_state & declared(cfg, runner.model, stage)
        trained = took_part - set(stage.get('frozen', ()))
        moved = recorder.moved(epoch, epoch + 1)
        assert owners(moved) == trained, stage
        assert owners(moved & set(parameters)) == trained, stage
    if 'stage' not in cfg.default_hooks:
        still = set(recorder.states[0]) - recorder.moved()
        teachers = cfg.default_hooks.get('teacher', dict(pairs=[]))['pairs']
        taught = tuple(f'{pair.teacher}.' for pair in teachers)  # move without a gradient
        fixed = {name for name, value in parameters.items() if not value.requires_grad}
        followers = {name for name in fixed if name.startswith(taught)}
        assert bool(followers) == bool(teachers)
        fixed -= followers
        assert still == fixed
        assert all(name.startswith('neck.') and name.endswith('bn.bias') for name in fixed)
    assert all(torch.isfinite(value).all() for value in recorder.states[-1].values())
    metrics = runner.test()
    assert metrics
    assert all(0 <= value <= 100 for value in metrics.values())
