"""Training and test steps of all configs on CUDA tensors without a GPU.

They have shapes, types and devices, but no values (``FakeTensorMode``). A step that runs on them
asks a GPU for nothing that it would have to wait for, and mixes no devices: a value that is read
back (``.item()``, an ``if``, an index by a mask), a copy that waits, and a tensor that was left on
the CPU raise at once, at the paper's sizes (but for blocks that repeat others) and without memory.
What is not seen is arithmetic, backward passes and the optimisers' own steps, which are PyTorch's.

Outside of steps these may wait, once each:

- after an iteration, MMEngine's ``RuntimeInfoHook`` for the values of the log, and after it
  ``FiniteLossHook``, by then for nothing; with ``max_skips`` it waits before every step;
- ``clip_grad`` of a method with one optimiser, where MMEngine logs the norm;
- of a test batch, the metric, for the features.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
)
from torch.overrides import TorchFunctionMode
from torchvision.models.resnet import Bottleneck, ResNet

from mmvireid.datasets import noise_batch
from mmvireid.engine.hooks import FiniteLossHook
from mmvireid.engine.runner import forget_weights, use_autocast
from mmvireid.models.base import BaseReID
from mmvireid.models.losses import PerceptualEdgeLoss
from mmvireid.registry import HOOKS, MODELS
from mmvireid.structures import MODALITIES

ROOT = Path(__file__).parents[1]
DEVICE = 'cuda:0'
#: What makes a tensor on a device of values that lie on the CPU.
FROM_VALUES = (torch.tensor, torch.as_tensor, torch.asarray)


class Waits(Exception):
    """What was asked for makes the CPU wait until the GPU has done all it was told to do."""


class FailsThere(Exception):
    """What a CPU does, and a GPU does not."""


def is_cuda(device) -> bool:
    return isinstance(device, str | torch.device) and torch.device(device).type == 'cuda'


def has_fake(value) -> bool:
    if isinstance(value, list | tuple):
        return any(map(has_fake, value))
    return isinstance(value, FakeTensor)


def has_list(index) -> bool:
    return isinstance(index, list) or (isinstance(index, tuple) and any(map(has_list, index)))


class FakeCuda(TorchFunctionMode):
    """Make fake tensors of what goes to ``'cuda'``, and refuse copies that wait.

    What stays on the CPU is real, as in a training.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fake_mode = FakeTensorMode()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, '__name__', '')
        if name == '__get__':  # of an attribute, such as a device
            return func(*args)
        if func is Tensor.pin_memory:
            pinned = args[0].clone()
            pinned.pinned = True
            return pinned
        if name in ('__getitem__', '__setitem__') and has_list(args[1]):
            raise Waits('an index that is a list is copied to the GPU')
        if func in (Tensor.to, Tensor.cuda) and not isinstance(args[0], FakeTensor):
            target = kwargs.get('device', args[1] if len(args) > 1 else None)
            if func is Tensor.cuda or is_cuda(target):
                return self.upload(*args, **kwargs)
        on_device = is_cuda(kwargs.get('device'))
        if on_device and func in FROM_VALUES:
            raise Waits(f'{name} with a device copies values from the CPU')
        if not on_device and not any(map(has_fake, (*args, *kwargs.values()))):
            return func(*args, **kwargs)
        if name in ('index_copy', 'index_copy_') and args[0].dtype != args[-1].dtype:
            raise FailsThere(f'{name} of {args[-1].dtype} into {args[0].dtype}')
        with self.fake_mode:  # what PyTorch makes on the way is fake too
            result = func(*args, **kwargs)
        if isinstance(result, FakeTensor) and result.fake_device.type == 'cpu':
            raise Waits(f'{name} copies to the CPU')
        return result

    def upload(self, tensor: Tensor, *args, non_blocking=False, **kwargs) -> Tensor:
        """A fake tensor on the GPU."""
        waits = not (non_blocking and hasattr(tensor, 'pinned'))
        if waits and tensor.device.type == 'cpu':  # not for a model that is built on 'meta'
            raise Waits('a copy to the GPU, not of pinned memory or not with non_blocking=True')
        dtype = next((arg for arg in args if isinstance(arg, torch.dtype)), kwargs.get('dtype'))
        with torch.no_grad():
            shape = tensor.to('meta', dtype or tensor.dtype)
        return FakeTensor(self.fake_mode, shape, torch.device(DEVICE))


def leaves_of(tensor: Tensor) -> list[Tensor]:
    """The tensors that a backward pass would give gradients to."""
    found, seen, todo = [], set(), [tensor.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, 'variable'):
            found.append(node.variable)
        todo += [following for following, _ in node.next_functions]
    return found


def empty_like(tensor: Tensor) -> Tensor:
    """A gradient for a tensor, always the same one."""
    if not hasattr(tensor, 'empty_gradient'):
        tensor.empty_gradient = torch.empty_like(tensor, requires_grad=False)
    return tensor.empty_gradient


def backward(self: Tensor, *args, **kwargs) -> None:
    """Give gradients without values: the engine has no device to go to."""
    for leaf in leaves_of(self):
        leaf.grad = empty_like(leaf)


def grad(outputs, inputs, *args, create_graph: bool = False, **kwargs) -> tuple[Tensor, ...]:
    """As :func:`backward`."""
    inputs = [inputs] if isinstance(inputs, Tensor) else inputs
    return tuple(torch.empty_like(x).requires_grad_(create_graph) for x in inputs)


@contextmanager
def fake_cuda() -> Iterator[None]:
    """Work on fake CUDA tensors in the block."""
    with (
        FakeCuda(),
        mock.patch.object(Tensor, 'backward', backward),
        mock.patch('torch.autograd.grad', grad),
        mock.patch('torch.optim.adam.adam'),  # the arithmetic of a step is PyTorch's
        mock.patch('torch.optim.sgd.sgd'),
        mock.patch('torch.cuda.amp.common.amp_definitely_not_available', lambda: False),
        mock.patch('torch.cuda.is_bf16_supported', lambda *_: True),
    ):
        yield


def stages_of(cfg: Config) -> list:
    """The stages of a training, ``[None]`` if it has none."""
    hooks = [*cfg.get('default_hooks', {}).values(), *cfg.get('custom_hooks', ())]
    found = [HOOKS.build(hook).stages for hook in hooks if hook and hook['type'] == 'StageHook']
    return found[0] if found else [None]


def batches_of(cfg: Config) -> tuple[dict, dict]:
    """A training and a test batch of the config's size, in pinned memory as loaders give them."""
    sampler = cfg.train_dataloader.batch_sampler
    blocks = {
        name: (block.get('num_ids', 8), block.get('num_instances', 4))
        for name, block in sampler.get('blocks', {None: sampler}).items()
    }
    loaders = (cfg.train_dataloader, blocks), (cfg.test_dataloader, {None: (2, 2)})
    found = [noise_batch(loader.dataset.pipeline[0]['size'], parts) for loader, parts in loaders]
    if 'num_ids' not in sampler and 'blocks' not in sampler:  # of visible images alone
        found = [{key: rows[: len(rows) // 2] for key, rows in batch.items()} for batch in found]
    return tuple(dict(batch, inputs=batch['inputs'].pin_memory()) for batch in found)


def on_device(build) -> BaseReID:
    """A model as it is before training, without the cost of drawing its weights."""
    with torch.device('meta'):
        model = build()
        for part in model.modules():
            if isinstance(part, PerceptualEdgeLoss):
                part.init_weights()  # gets its network
    return model.to(DEVICE)


def train(model: BaseReID, wrapper, batch: dict, stages: list) -> None:
    """One iteration of every stage, with the hook that looks at gradients before a step."""
    watch = FiniteLossHook()
    watch.before_train(SimpleNamespace(model=model, optim_wrapper=wrapper))
    model.train()
    for stage in stages:
        if stage is not None:
            model.enter_stage(stage)
        logs = model.train_step(batch, wrapper)
        assert all(value.shape == () for value in logs.values())
    watch.after_train(None)


#: What does not decide which operations run, or leaves some out that other configs run.
SKIPPED = ('channels_last', 'checkpoint', 'init_cfg', 'p', 'stage', 'weights')


def kind_of(value) -> object:
    """What decides which operations run: names, and what is 0; not how large the rest is."""
    if isinstance(value, dict):
        kinds = {key: kind_of(part) for key, part in value.items() if key not in SKIPPED}
        return {key: kind for key, kind in kinds.items() if kind not in ('a number', [])}
    if isinstance(value, list | tuple):
        return [kind for kind in map(kind_of, value) if kind != 'a number']
    return 'a number' if isinstance(value, int | float) and value else value


def kinds_of(model: dict, stages: list) -> set[str]:
    """Of a config: that of its model, and those of the changes of its images, in any order."""
    preprocessor = model.pop('data_preprocessor', None) or {}
    views = preprocessor.get('views', {})
    steps = [step for view in views.values() for step in view.get('augmentations', ())]
    parts = [
        [model, stages, sorted(set(views) - {*MODALITIES})],
        *preprocessor.get('common', ()),
        *steps,
    ]
    return {json.dumps(kind_of(part), sort_keys=True, default=str) for part in parts}


def configs() -> list[str]:
    """All configs, those of real data first."""
    paths = [
        path
        for pattern in ('configs/*/*.py', 'projects/*/configs/*.py')
        for path in ROOT.glob(pattern)
        if '_base_' not in path.parts
    ]
    paths.sort(key=lambda path: ('synthetic' in path.stem, path))
    return [path.relative_to(ROOT).as_posix() for path in paths]


def short_resnet50(non_local: bool) -> ResNet:
    """ResNet-50 with as many blocks as something asks for; the others only repeat them."""
    return ResNet(Bottleneck, [1, 2, 3, 2] if non_local else [1, 1, 1, 2])


#: Kinds of what was tried in this process.
TRIED = set()


@pytest.mark.parametrize('config', configs())
def test_no_step_waits_or_mixes_devices(config, monkeypatch, no_initial_values):
    monkeypatch.syspath_prepend(str(ROOT))  # for the `custom_imports` of a project
    cfg = Config.fromfile(ROOT / config)
    stages = stages_of(cfg)
    kinds = kinds_of(cfg.model.to_dict(), [vars(stage) for stage in stages if stage])
    if kinds <= TRIED:
        return  # other configs have run the same operations
    TRIED.update(kinds)
    forget_weights(cfg.model)
    non_local = 'non_local' in cfg.model.get('backbone', {})
    monkeypatch.setattr('torchvision.models.resnet50', lambda weights: short_resnet50(non_local))
    with fake_cuda():
        model = on_device(lambda: MODELS.build(cfg.model))
        training, test = batches_of(cfg)
        train(model, build_optim_wrapper(model, cfg.optim_wrapper), training, stages)
        model.data_preprocessor.memory_format = torch.channels_last
        use_autocast(cfg.optim_wrapper)
        train(model, build_optim_wrapper(model, cfg.optim_wrapper), training, stages)
        model.eval()
        with torch.no_grad():
            features = model(model.data_preprocessor(test)['inputs'])  # what a test step gives
    assert features.device.type == 'cuda' and features.dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('name', ['agw', 'aligngan', 'dgvae', 'hicmd', 'mso'])
def test_no_step_waits_on_a_gpu(name):
    """The same by PyTorch's own account, in the second iteration of every stage."""
    cfg = Config.fromfile(ROOT / f'configs/{name}/{name}_synthetic.py')
    forget_weights(cfg.model)
    model = MODELS.build(cfg.model).to(DEVICE)
    model.init_weights()
    wrapper, batch = build_optim_wrapper(model, cfg.optim_wrapper), batches_of(cfg)[0]
    for stage in stages_of(cfg):
        train(model, wrapper, batch, [stage])
        torch.cuda.set_sync_debug_mode('error')
        try:
            train(model, wrapper, batch, [stage])
        finally:
            torch.cuda.set_sync_debug_mode('default')


class Toy(BaseReID):
    """One layer; ``fault(embedding)`` is planted in its loss."""

    def __init__(self, fault) -> None:
        super().__init__(dict(size=1.0))
        self.layer = nn.Linear(24, 3)
        self.left_behind = torch.ones(3, device='cpu')  # no buffer: it stays there
        self.fault = fault

    def extract(self, inputs):
        return self.layer(torch.cat(list(inputs.values())).flatten(1))

    def loss(self, inputs, data_samples):
        embedding = self.extract(inputs)
        return dict(size=embedding.square().mean() + self.fault(self, embedding))


def step_with(fault) -> None:
    """One training iteration with something planted in the loss."""
    with fake_cuda():
        model = on_device(lambda: Toy(fault))
        batch = noise_batch((4, 2), {None: (2, 2)})
        batch['inputs'] = batch['inputs'].pin_memory()
        train(model, OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)), batch, [None])


#: What makes a step wait on a GPU, or fail there alone.
FAULTS = dict(
    item=lambda model, x: x.sum().item(),
    float=lambda model, x: float(x.sum()),
    list=lambda model, x: x[0].tolist()[0],
    branch=lambda model, x: x.sum() if (x > 0).all() else 0.0,
    mask=lambda model, x: x[x > 0].sum(),
    nonzero=lambda model, x: (x > 0).nonzero().sum(),
    unique=lambda model, x: x.unique().sum(),
    cpu=lambda model, x: x.cpu().sum(),
    to_cpu=lambda model, x: x.to('cpu').sum(),
    values=lambda model, x: x @ torch.tensor([1.0, 2.0, 3.0], device=x.device),
    pageable=lambda model, x: (x @ torch.ones(3).to(x.device, non_blocking=True)).sum(),
    blocking=lambda model, x: (x @ torch.ones(3).pin_memory().to(x.device)).sum(),
    index=lambda model, x: x[torch.tensor([2, 0, 1])].sum(),
    index_list=lambda model, x: x[[2, 0, 1]].sum(),
    left_on_the_cpu=lambda model, x: (x * model.left_behind).mean(),
    other_type=lambda model, x: x.index_copy(
        0, torch.arange(1, device=DEVICE), x[:1].bfloat16()
    ).sum(),
)


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.filterwarnings('ignore:Converting a tensor with requires_grad')
def test_what_a_gpu_would_not_do_is_noticed(fault):
    noticed = (
        Waits,
        FailsThere,
        DataDependentOutputException,
        DynamicOutputShapeException,
        AssertionError,
    )
    with pytest.raises(noticed) as error:
        step_with(FAULTS[fault])
    if error.type is AssertionError:  # of PyTorch's own, about the real tensor beside fake ones
        assert 'Please convert all Tensors to FakeTensors first' in str(error.value)


@pytest.mark.parametrize('loss', ['identity_loss', 'triplet_loss'])
def test_an_item_in_a_loss_of_a_method_is_noticed(loss, tiny_model):
    cfg = Config.fromfile(ROOT / 'configs/agw/agw_sysu.py')
    tiny_model(cfg.model)
    with fake_cuda():
        model = on_device(lambda: MODELS.build(cfg.model))
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        batch = batches_of(cfg)[0]
        train(model, wrapper, batch, [None])
        part = getattr(model, loss)
        part.register_forward_hook(lambda *args: args[-1] * (args[-1].item() < 1e3))
        with pytest.raises(DataDependentOutputException):
            train(model, wrapper, batch, [None])


def test_a_sound_step_passes():
    step_with(
        lambda model, x: (
            x @ torch.arange(3.0, device=x.device) + model.to_device(torch.ones(1))
        ).mean()
    )
