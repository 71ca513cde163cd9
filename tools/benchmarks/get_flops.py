"""Parameters and multiply-adds of a config's model, part by part.

``python tools/benchmarks/get_flops.py configs/dgvae/dgvae_sysu.py``

Every part is counted on one row (an image, a map or a code) of what it gets in training, which a
batch of noise finds out; the last row of the table is the extraction of one visible image's
retrieval feature. FLOPs are multiply-adds of convolutions and matrix products, as papers count
them: PyTorch's counter, which counts two operations for each, halved.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.datasets import noise_batch
from mmvireid.engine.runner import clear_errors, read_config
from mmvireid.evaluation import align_rows
from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE

#: Identities of the batch of noise, and images of each in each modality.
NUM_IDS, NUM_INSTANCES = 2, 2


def first_row(value: Any) -> Any:
    """The first row of a tensor, of each of a tuple of codes; of images, of one modality's."""
    if isinstance(value, Tensor):
        return value[:1].detach()
    if hasattr(value, '_make'):  # a named tuple
        return value._make(map(first_row, value))
    if isinstance(value, dict):
        key = next(iter(value))
        return {key: first_row(value[key])}
    return value


def record_inputs(model: nn.Module, run: Callable[[], object]) -> dict[str, tuple]:
    """Run something, and keep one row of the first inputs of every child of the model.

    Returns:
        Positional and keyword arguments by the name of the child, for those that were called.
    """
    inputs = {}

    def hook_for(name: str) -> Callable:
        def hook(module: nn.Module, args: tuple, kwargs: dict) -> None:
            row = tuple(map(first_row, args)), {k: first_row(v) for k, v in kwargs.items()}
            inputs.setdefault(name, row)

        return hook

    handles = [
        child.register_forward_pre_hook(hook_for(name), with_kwargs=True)
        for name, child in model.named_children()
    ]
    run()
    for handle in handles:
        handle.remove()
    return inputs


def count_flops(function: Callable, *args, **kwargs) -> int:
    """Multiply-adds of a call."""
    with FlopCounterMode(display=False) as counter:
        function(*args, **kwargs)
    return counter.get_total_flops() // 2


def count_parameters(*modules: nn.Module) -> int:
    """Number of parameters of some modules."""
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@torch.no_grad()
def measure(model: BaseReID, size: Sequence[int]) -> dict[str, tuple[int, int | None]]:
    """Count parameters and multiply-adds of a model.

    Args:
        model: A model with all its terms active.
        size: Height and width of the images.

    Returns:
        Both counts of every child that has parameters, and of ``'inference'``; the multiply-adds
        of a part that training does not use are ``None``. The parameters of ``'inference'`` are
        those of the parts that one visible image passes.
    """
    blocks = dict.fromkeys(model.blocks or (None,), (NUM_IDS, NUM_INSTANCES))
    batch = model.data_preprocessor(noise_batch(size, blocks), training=True)
    with torch.enable_grad():  # a penalty may ask for gradients
        inputs = record_inputs(model.train(), lambda: model(**batch, mode='loss'))
    model.eval().requires_grad_(False)  # torch's counter hooks into gradients where there are any
    counts = {}
    for name, child in model.named_children():
        if count_parameters(child):
            flops = None
            if name in inputs:
                args, kwargs = inputs[name]
                flops = count_flops(child, *args, **kwargs)
            counts[name] = count_parameters(child), flops
    image = {VISIBLE: torch.zeros(1, 3, *size)}
    passed = record_inputs(model, lambda: model.extract(image))
    parameters = count_parameters(*(model.get_submodule(name) for name in passed))
    return counts | dict(inference=(parameters, count_flops(model.extract, image)))


def build(cfg: Config, shape: Sequence[int] | None) -> tuple[BaseReID, tuple[int, int]]:
    """Build a config's model with random weights (nothing is downloaded); give its image size."""
    size = tuple(shape or cfg.train_dataloader.dataset.pipeline[0]['size'])
    if 'input_size' in cfg.model:
        size = tuple(shape or cfg.model.input_size)
        cfg.model.input_size = size
    init_default_scope(cfg.get('default_scope', 'mmvireid'))
    return MODELS.build(cfg.model), size


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument(
        '--shape', type=int, nargs=2, metavar=('H', 'W'), help="image size (the config's)"
    )
    add_options_argument(parser)
    args = parser.parse_args(argv)
    with clear_errors('get_flops'):
        model, size = build(read_config(args.config, args.cfg_options), args.shape)
        counts = measure(model, size)
    rows = [['part', 'parameters, M', 'FLOPs, G']]
    for name, (parameters, flops) in counts.items():
        gigaflops = 'unused' if flops is None else f'{flops / 1e9:.3f}'
        rows.append([name, f'{parameters / 1e6:.2f}', gigaflops])
    print(align_rows(rows))
    print(f'FLOPs: multiply-adds of one row, images of {size[0]} x {size[1]}.')


if __name__ == '__main__':
    main()
