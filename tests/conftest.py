"""Fixtures that several test folders share."""

import copy
import gc
import importlib.util
import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope, init_default_scope
from mmengine.runner import Runner
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

from mmvireid.apis import ReIDInferencer
from mmvireid.datasets import noise_batch
from mmvireid.datasets.rendering import ensure_rendered
from mmvireid.engine.runner import drop_helpers, forget_weights
from mmvireid.models.base import BaseReID
from mmvireid.registry import DATASETS, MODELS

# On a GPU, as on a CPU: a feature does not hang on its batch, nor a resumed run on chance.
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.deterministic = True

TOOLS = Path(__file__).parents[1] / 'tools'

#: Seconds that a test, and a file of tests, may take on a quiet core: CONTRIBUTING.md, "Tests".
BUDGET = dict(test=10.0, file=60.0)


def pytest_terminal_summary(terminalreporter):
    """Name what took longer than it may; nothing fails, since a busy machine is no fault."""
    spent = dict(test=Counter(), file=Counter())
    for report in itertools.chain(*terminalreporter.stats.values()):
        if hasattr(report, 'duration'):  # not one of a file that cannot be imported
            spent['test'][report.nodeid] += report.duration
            spent['file'][report.nodeid.partition('::')[0]] += report.duration
    for kind, limit in BUDGET.items():
        slow = [(name, used) for name, used in spent[kind].most_common() if used > limit]
        if slow:
            terminalreporter.section(f'more than {limit:g} s a {kind}')
        for name, used in slow:
            terminalreporter.write_line(f'{used:.0f} s {name}')


@pytest.fixture(autouse=True, scope='session')
def one_thread():
    """Tiny networks run fastest on one thread."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope='session')
def frozen_heap():
    """What is imported stays: data sets collect garbage, and need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope='session')
def files_are_parsed_once():
    """Hundreds of configs build upon the same files of ``configs/``, which no test changes."""
    parse, parsed = Config._file2dict, {}

    def remember(filename, *args, **options):
        path = Path(filename).resolve()
        if TOOLS.parent not in path.parents or not path.is_file():
            return parse(filename, *args, **options)
        key = path, path.stat().st_mtime_ns, args, tuple(options.items())
        if key not in parsed:
            parsed[key] = parse(filename, *args, **options)
        return copy.deepcopy(parsed[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, '_file2dict', staticmethod(remember))
        yield


@pytest.fixture(autouse=True)
def fresh_globals():
    """Every test looks names up in this package's registries, and has message hubs of its own.

    MMEngine keeps hubs by a run's name, which another test can have had.
    """
    init_default_scope('mmvireid')
    yield
    for kind in (DefaultScope, MessageHub):
        kind._instance_dict.clear()
    torch.use_deterministic_algorithms(False)


@pytest.fixture(autouse=True)
def no_environment_report(monkeypatch):
    """A Runner asks compilers for their versions when it starts, which takes seconds."""
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)


@pytest.fixture(autouse=True)
def no_python_style(monkeypatch):
    """A config's text is written seven times a run; yapf lays it out, in a quarter of a second."""
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **style: (text, False))


@pytest.fixture
def no_initial_values(monkeypatch):
    """Tensors on ``'meta'`` have no values, and are slow to be given some."""
    for name, function in vars(torch.nn.init).items():
        if name.endswith('_') and not name.startswith('_') and callable(function):
            monkeypatch.setattr(torch.nn.init, name, lambda tensor, *args, **options: tensor)


@pytest.fixture
def golden_batch():
    """The embeddings of the golden loss values: ``golden_batch(scale)`` -> (64, 16), labels."""

    def build(scale: float) -> tuple[torch.Tensor, torch.Tensor]:
        labels = np.tile(np.repeat(np.arange(8), 4), 2)
        i, j = np.arange(64)[:, None], np.arange(16)[None]
        x = np.sin(0.7 * i + 1.3 * j + 0.1 * i * j) + 0.8 * np.cos(2.1 * labels[:, None] + 0.9 * j)
        return torch.from_numpy(scale * x), torch.from_numpy(labels)

    return build


@pytest.fixture
def training_batch():
    """A collated batch: ``training_batch(num_ids, num_instances)``, visible first.

    With ``blocks=('feature', 'pixel')`` there is one of these for every block.
    """

    def build(
        num_ids: int = 3, num_instances: int = 2, size: tuple = (32, 16), blocks: tuple = ()
    ) -> dict:
        return noise_batch(size, dict.fromkeys(blocks or (None,), (num_ids, num_instances)))

    return build


@pytest.fixture
def equals_handwritten():
    """``equals_handwritten(model, batch, labels, step)``: three SGD iterations, ours and plain.

    ``step(model, images, labels, optimizer)`` is one iteration in plain PyTorch; it returns the
    loss. Before ours, ``hook`` does what it does before an iteration of the first epoch.
    """

    def sgd(network):
        return torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)

    def check(model, batch, labels, step, hook=None) -> None:
        twin = copy.deepcopy(model)
        wrapper, optimizer = OptimWrapper(sgd(model)), sgd(twin)
        for iteration in range(3):
            if hook is not None:
                hook.before_train_iter(SimpleNamespace(model=model, epoch=0), iteration)
            logs = model.train_step(batch, wrapper)
            expected = step(twin, batch['inputs'], labels, optimizer)
            assert logs['loss'].item() == pytest.approx(expected, rel=1e-4)
        for (name, ours), theirs in zip(model.state_dict().items(), twin.state_dict().values()):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5, msg=name)

    return check


@pytest.fixture(scope='session')
def rate_table():
    """``rate_table('agw/agw_sysu.py')``: by epoch, the optimiser's groups by their parameter.

    Of a method with one optimiser; weights have no values.
    """

    def build(config: str) -> list[dict[str, dict]]:
        cfg = Config.fromfile(TOOLS.parent / 'configs' / config, format_python_code=False)
        forget_weights(cfg.model)
        with torch.device('meta'):
            model = MODELS.build(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        schedulers = cfg.param_scheduler
        schedulers = [
            PARAM_SCHEDULERS.build(scheduler, default_args=dict(optimizer=wrapper))
            for scheduler in (schedulers if isinstance(schedulers, list) else [schedulers])
        ]
        table = []
        for _ in range(cfg.train_cfg.max_epochs):
            groups = wrapper.optimizer.param_groups
            table.append({names[id(group['params'][0])]: dict(group) for group in groups})
            wrapper.step()  # there are no gradients: nothing moves
            for scheduler in schedulers:
                scheduler.step()
        return table

    return build


LAYOUTS = dict(
    SYSUMM01='sysu',
    SyntheticSYSU='sysu',
    SyntheticVisible='sysu',
    SyntheticRegDB='regdb',
    RegDB='regdb',
    LLCM='llcm',
    CSVReID='table',
)
MAKE_TABLE = 'dataset_converters/make_table.py'


@pytest.fixture(scope='session')
def rendered(tmp_path_factory, load_tool):
    """Root of a tiny rendered data set: ``rendered('regdb', seed=1)``; each is rendered once.

    ``'table'`` is SYSU-MM01's layout with a table of it, which has rooms.
    """
    folder = tmp_path_factory.mktemp('rendered')

    def build(layout: str, seed: int = 0) -> str:
        root = folder / f'{layout}{seed or ""}'
        if layout != 'table':
            ensure_rendered(root, 'tiny', layout, seed, workers=1)
        elif not root.exists():
            shutil.copytree(build('sysu', seed), root)
            rooms = ['--rooms', '2=lab', '3=lab', '6=yard']
            load_tool(MAKE_TABLE).main([str(root), '--layout', 'sysu', *rooms])
        return str(root)

    return build


#: What makes a part of a model tiny, wherever its config has the key.
TINY = dict(
    depth=18,
    init_cfg=None,
    num_stages=1,
    stage='layer2',
    size=(64, 32),
    num_blocks=1,
    code_size=8,
    start_channels=8,
    base_channels=8,
    feature_width=8,
    embedding_size=8,
    feature_size=16,
    num_unpaired=2,
    in_channels=256,  # of a loss with learned centres: what three stages of ResNet-18 give
    weights='random',
    num_stripes=3,
    num_heads=2,
)


#: What meets the channels of a narrow ResNet-18: prototypes (8 times these), learned centres.
NARROW = dict(base_channels=2, in_channels=64)


class NarrowResNet(ResNet):
    """ResNet-18 with a quarter of the channels behind its stem: a tenth of the time."""

    def __init__(self, weights: None = None) -> None:
        super().__init__(BasicBlock, [2, 2, 2, 2])

    def _make_layer(self, block: type, planes: int, *args, **kwargs) -> nn.Sequential:
        return super()._make_layer(block, planes // 4, *args, **kwargs)


@pytest.fixture(scope='session')
def narrow_code():
    """Code of a module that a config imports: other processes build narrow networks, too."""
    return (
        'import runpy\nimport torchvision\n'
        f"torchvision.models.resnet18 = runpy.run_path({__file__!r})['NarrowResNet']\n"
    )


@pytest.fixture(scope='session')
def tiny_model():
    """``tiny_model(cfg.model, num_ids=3)`` makes the networks of a model's config small, in place.

    Everything else, the number of identities too, stays as it is unless it is given. ``narrow``
    prepares it for :class:`NarrowResNet`.
    """

    def build(part: dict, narrow: bool = False, **values) -> None:
        values = TINY | (NARROW if narrow else {}) | values
        part.update({key: value for key, value in values.items() if key in part})
        if {'num_stages', 'last_stride'} <= set(part):
            part['num_stages'] = 2  # the first stage's stride is fixed
        if part.get('plugins'):
            part['num_stages'] = 3  # as `shrink`
            part['plugins'].pop('layer4', None)
            stride = 8 * part['last_stride']
            for plugin in part['plugins'].values():
                if 'map_size' in plugin:
                    plugin['map_size'] = tuple(x // stride for x in values['input_size'])
        if 'non_local' in part:
            part['non_local'] = dict.fromkeys(part['non_local'] or (), 1)
        if 'hidden' in part:
            part['hidden'] = [(8, stride) for _, stride in part['hidden']]
        for value in part.values():
            if isinstance(value, dict):
                build(value, **values)

    return build


def stages_of(cfg: Config) -> list[dict]:
    """The stages of a config, the whole training if it has none."""
    return cfg.default_hooks.get('stage', dict(stages=[{}]))['stages']


def shrink_schedule(cfg: Config) -> None:
    """Leave one epoch of the schedule, or one for every stage."""
    stages = stages_of(cfg)
    for index, stage in enumerate(stages[:-1]):
        stage.end = index + 1
    stages[-1].pop('end', None)
    cfg.train_cfg.update(max_epochs=len(stages), val_interval=len(stages))
    cfg.default_hooks.checkpoint.interval = 1


def shrink_batches(loader: ConfigDict, num_ids: int, num_instances: int) -> None:
    """Leave two small batches of an epoch; with blocks, each of them is as small."""
    sampler = loader.batch_sampler
    blocks = list(sampler.get('blocks', dict(one=sampler)).values())
    if sampler.type != 'UniformBatchSampler':
        for block in blocks:
            block.update(num_ids=num_ids, num_instances=num_instances)
    loader.batch_size = 2 * num_ids * num_instances * len(blocks)
    sampler.num_batches = 2


@pytest.fixture
def shrink(rendered, tiny_model, tmp_path, monkeypatch):
    """``shrink(config_file)``: the same config with a tiny network, tiny images, tiny data.

    Of the schedule remains one epoch of two iterations, or one for every stage. Other processes
    need :func:`narrow_code`.
    """

    monkeypatch.setattr('torchvision.models.resnet18', NarrowResNet)

    def build(config: str) -> Config:
        cfg = Config.fromfile(config)
        drop_helpers(cfg)
        generates = 'input_size' in cfg.model
        # a decoder may enlarge a map by 64, VGG-16 needs a stem map of 8 x 8
        size = (64, 64) if generates else (48, 32)
        for name in ('train', 'val', 'test'):
            loader = cfg.get(f'{name}_dataloader')
            if loader is None:
                continue
            loader.update(num_workers=0, persistent_workers=False)
            loader.dataset.pipeline[0]['size'] = size
            for part in loader.dataset.get('datasets', [loader.dataset]):
                part.data_root = rendered(LAYOUTS[part.type], part.get('seed', 0))
                if part.type.startswith('Synthetic'):
                    part.size = 'tiny'
                if part.get('num_heldout_ids'):
                    part.num_heldout_ids = 2
            evaluator = {} if name == 'train' else cfg[f'{name}_evaluator']
            if 'rand_perm_file' in evaluator:
                evaluator.rand_perm_file = f'{loader.dataset.data_root}/exp/rand_perm_cam.mat'
        num_ids = 3 if cfg.model.get('num_unpaired') else 2  # of 6 pairs, 4 are taken apart
        shrink_batches(cfg.train_dataloader, *((num_ids, 2) if generates else (4, 3)))
        train_set = DATASETS.build(cfg.train_dataloader.dataset)
        tiny_model(cfg.model, narrow=True, num_ids=train_set.metainfo['num_ids'], input_size=size)
        if cfg.model.get('backbone', {}).get('type') == 'TwoStreamResNet':
            cfg.model.backbone.num_stages = 3
            if cfg.model.backbone.get('split') == 'layer4':
                cfg.model.backbone.split = 'layer3'  # all of what is left, too
        shrink_schedule(cfg)
        cfg.work_dir = str(tmp_path / 'work_dir')
        cfg.experiment_name = tmp_path.name
        cfg.log_level = 'ERROR'
        return cfg

    return build


@pytest.fixture
def saved(shrink, tmp_path):
    """``saved('agw/agw_synthetic.py')``: a tiny config and random weights, the paths of both files.

    ``alter`` may change the weights, a state dict, in place.
    """

    def save(config: str, alter: Callable[[dict], None] = lambda state: None) -> list[str]:
        cfg = shrink(str(TOOLS.parent / 'configs' / config))
        cfg.test_evaluator.update(modes=['all'], shots=[1])
        path = tmp_path / Path(config).name
        cfg.dump(path)
        torch.manual_seed(0)
        state = MODELS.build(cfg.model).state_dict()
        alter(state)
        torch.save(dict(state_dict=state), path.with_suffix('.pth'))
        return [str(path), str(path.with_suffix('.pth'))]

    return save


def assert_same(a, b, where: str) -> None:
    """Nested values are equal to the last bit."""
    assert type(a) is type(b), where
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert set(a) == set(b), where
        for key in a:
            assert_same(a[key], b[key], f'{where}.{key}')
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for index, (x, y) in enumerate(zip(a, b)):
            assert_same(x, y, f'{where}.{index}')
    else:
        assert a == b, where


@pytest.fixture
def resumes_exactly(shrink, tmp_path):
    """``resumes_exactly(config_file)``: interrupted in the middle of each stage equals straight.

    Weights, optimisers and schedules are compared. ``deterministic`` is that of ``randomness``.
    """

    def run(config: str, name: str, deterministic: bool, resume: Path | None = None) -> dict:
        cfg = shrink(config)
        cfg.randomness.deterministic = deterministic
        stages = stages_of(cfg)
        for index, stage in enumerate(stages[:-1]):
            stage.end = 2 * (index + 1)
        last = 2 * len(stages)
        cfg.train_cfg.update(max_epochs=last, val_interval=1)  # a validation must not disturb
        cfg.train_dataloader.batch_sampler.num_batches = 1
        cfg.default_hooks.checkpoint.max_keep_ckpts = -1
        cfg.experiment_name = f'{tmp_path.name}_{name}'
        cfg.work_dir = str(tmp_path / name)
        cfg.update(load_from=resume and str(resume), resume=resume is not None)
        Runner.from_cfg(cfg).train()
        return torch.load(tmp_path / name / f'epoch_{last}.pth', weights_only=True)

    def check(config: str, deterministic: bool = False) -> None:
        straight = run(config, 'straight', deterministic)
        for epoch in range(1, len(list((tmp_path / 'straight').glob('epoch_*.pth'))), 2):
            checkpoint = tmp_path / f'straight/epoch_{epoch}.pth'
            resumed = run(config, f'from_{epoch}', deterministic, checkpoint)
            for part in ('state_dict', 'optimizer', 'param_schedulers'):
                assert_same(straight[part], resumed[part], part)

    return check


@pytest.fixture(scope='session')
def load_tool():
    """``load_tool('analysis_tools/eval_features.py')`` -> the module."""

    def load(name: str):
        path = (TOOLS / name).resolve()
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


class Exploit:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trace, how):
        self.trace, self.how = str(trace), how

    def __reduce__(self):
        if self.how == 'system':
            return os.system, (f'touch {self.trace}',)
        return eval, (f'open({self.trace!r}, "w")',)


@pytest.fixture(scope='session')
def make_exploit():
    """``make_exploit(trace, how)`` makes the file ``trace`` when it is unpickled.

    ``how`` is ``'system'``, by a shell, or ``'eval'``.
    """
    return Exploit


class ColorModel(BaseReID):
    """Its feature is the picture itself, made small."""

    def __init__(self, cfg: Config) -> None:
        torch.nn.Module.__init__(self)
        self.cfg = cfg
        self.data_preprocessor = SimpleNamespace(device=torch.device('cpu'))

    def test_step(self, data: dict) -> list:
        for image, sample in zip(data['inputs'], data['data_samples']):
            sample.set_field(image.float().flatten() - 128, 'feature')
        return data['data_samples']

    def loss(self, *args):
        raise NotImplementedError

    def extract(self, *args):
        raise NotImplementedError


#: With their scope: what lives longer than a test is made when no test has set one.
PIPELINE = [
    dict(type='mmvireid.LoadReIDImage', size=(4, 2)),
    dict(type='mmvireid.PackReIDInputs'),
]


@pytest.fixture(scope='session')
def color_inferencer():
    """``color_inferencer(data_root)``: its features are the pictures' colours, from no training."""

    def build(data_root: str = '', test_evaluator: dict | None = None) -> ReIDInferencer:
        loader = dict(dataset=dict(pipeline=PIPELINE, data_root=data_root))
        cfg = dict(test_dataloader=loader, test_evaluator=test_evaluator)
        cfg = Config(cfg, cfg_text='# colours', filename='colors.py')
        return ReIDInferencer(ColorModel(cfg), device='cpu')

    return build
