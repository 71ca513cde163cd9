"""Models that leave Python: networks from pictures to features as ONNX files."""

import hashlib
import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from mmvireid.apis.inferencer import ReIDInferencer
from mmvireid.datasets import LoadReIDImage, PackReIDInputs
from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidTypeError, InvalidValueError, RunStoppedError, from_extra
from mmvireid.models.base import BaseReID
from mmvireid.registry import TRANSFORMS
from mmvireid.structures import MODALITIES, ReIDDataSample

#: Largest difference of two features of length one, between PyTorch and the exported network.
TOLERANCE = 1e-4
CHANNELS = ('bgr', 'rgb')
DESCRIPTION = 'model.json'
_OPSET = 17
_INPUT, _OUTPUT = 'pictures', 'features'
#: Pictures that the comparison sends through both, in batches of these sizes.
_BATCHES = (1, 3)
#: Batches whose time is measured.
_BATCH_SIZES = (1, 32)


class PictureNetwork(nn.Module):
    """What is exported: a model that takes one modality's pictures as decoders give them.

    Args:
        model: Its networks are shared, not copied.
        modality: ``'visible'`` or ``'infrared'``.
        channels: Order of the pictures' channels, ``'bgr'`` or ``'rgb'``.
    """

    def __init__(self, model: BaseReID, modality: str, channels: str) -> None:
        super().__init__()
        self.model, self.modality, self.channels = model, modality, channels

    def forward(self, pictures: Tensor) -> Tensor:
        """Features of length one, float32, (N, D), of uint8 pictures, (N, H, W, 3)."""
        bgr = pictures.flip(3) if self.channels == 'rgb' else pictures
        images = self.model.data_preprocessor.normalize(bgr.permute(0, 3, 1, 2))
        features = self.model.extract({self.modality: images}).float()
        return features / torch.linalg.vector_norm(features, dim=1, keepdim=True).clamp(min=1e-12)


def export_onnx(
    inferencer: ReIDInferencer, folder: str | Path, channels: str = 'bgr', timed: bool = False
) -> dict:
    """Write a network per modality, compared with PyTorch's, and a description of both.

    Args:
        inferencer: Has the model, on the CPU.
        folder: A folder, which gets ``visible.onnx``, ``infrared.onnx`` and ``model.json``.
        channels: Order of the channels that the networks are to take, ``'bgr'`` or ``'rgb'``.
        timed: Whether to measure the time per picture, too.

    Returns:
        What ``model.json`` holds; and under ``seconds``, if timed, seconds per picture by
        modality, batch size and runtime.

    Raises:
        ValueError: If ``channels`` is neither, or the test pipeline does more than load a picture.
        TypeError: If the model has no features of one of the modalities.
        RuntimeError: If the features differ by more than ``TOLERANCE``; no network is left then.
    """
    if channels not in CHANNELS:
        raise InvalidValueError(
            f'export_onnx: `channels` is {channels!r}, expected one of {CHANNELS}.'
        )
    size, loading = _how_to_load(inferencer.model)
    pictures = _make_pictures(max(_BATCHES), size)
    files, differences, seconds = {}, {}, {}
    with TemporaryDirectory(dir=folder, prefix='.export_') as drafts:
        for modality in MODALITIES:
            draft = Path(drafts, f'{modality}.onnx')
            expected = _reference(inferencer.model, modality, pictures, channels)
            network = PictureNetwork(inferencer.model, modality, channels).eval()
            write_network(network, draft, pictures)
            session = open_network(draft)
            differences[modality] = _compare(session, pictures, expected)
            if timed:
                seconds[modality] = _time_both(network, session, size)
            digest = hashlib.sha256(draft.read_bytes()).hexdigest()
            files[modality] = dict(file=draft.name, sha256=digest)
        description = dict(
            files=files,
            input=dict(zip(('height', 'width'), size), channels=channels, dtype='uint8',
                       layout='NHWC', name=_INPUT),
            loading=loading,
            output=dict(size=expected.shape[1], length=1, dtype='float32', name=_OUTPUT),
            source=inferencer.source,
            largest_difference=differences,
        )  # fmt: skip
        Path(drafts, DESCRIPTION).write_text(json.dumps(description, indent=2) + '\n', 'utf-8')
        for name in (*(entry['file'] for entry in files.values()), DESCRIPTION):
            os.replace(Path(drafts, name), Path(folder, name))
    return dict(description, seconds=seconds)


def write_network(network: PictureNetwork, path: str | Path, pictures: np.ndarray) -> None:
    """Write a network as an ONNX file that takes any number of pictures.

    PyTorch has two exporters from 2.6 to 2.14. This uses the older one, by tracing: it is up to 20
    times faster, needs no other package to run, and keeps the number of pictures open in every
    method; the newer one (``dynamo=True``) fixes it in Hi-CMD.

    Args:
        network: In eval mode.
        path: The file.
        pictures: Some, uint8, shape (N, H, W, 3).

    Raises:
        RuntimeError: If the package ``onnx`` is missing.
    """
    with from_extra('export_onnx', 'onnx', 'deploy'):
        import onnx  # noqa: F401
    with torch.no_grad(), _quiet():
        torch.onnx.export(
            network,
            (torch.from_numpy(pictures),),
            str(path),
            input_names=[_INPUT],
            output_names=[_OUTPUT],
            dynamic_axes={_INPUT: {0: 'N'}, _OUTPUT: {0: 'N'}},
            opset_version=_OPSET,
            dynamo=False,
        )


def open_network(path: str | Path):
    """An ``onnxruntime.InferenceSession`` of a file, on the CPU, with PyTorch's threads.

    Raises:
        RuntimeError: If the package ``onnxruntime`` is missing.
    """
    with from_extra('export_onnx', 'onnxruntime', 'deploy'):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


@contextmanager
def _quiet():
    """Leave out what tracing says of sizes that become constants; the comparison sees to it."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        level = logging.getLogger('torch.onnx').level
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        yield
        logging.getLogger('torch.onnx').setLevel(level)


def _how_to_load(model: BaseReID) -> tuple[tuple[int, int], dict[str, str]]:
    """Height and width, and the rest of what users of the network have to repeat."""
    steps = [TRANSFORMS.build(step) for step in model.cfg.test_dataloader.dataset.pipeline]
    kinds = [type(step) for step in steps]
    if kinds != [LoadReIDImage, PackReIDInputs]:
        raise InvalidValueError(
            f'export_onnx: the pipeline of the test has {[kind.__name__ for kind in kinds]}, '
            'expected LoadReIDImage and PackReIDInputs: the network would be given other pictures.'
        )
    loader = steps[0]
    return loader.size, dict(backend=loader.backend, interpolation=loader.interpolation)


def _make_pictures(count: int, size: tuple[int, int]) -> np.ndarray:
    """Noise of several contrasts, uint8 (N, H, W, 3)."""
    rng = np.random.default_rng(0)
    contrast = np.linspace(1, 0.1, count)[:, None, None, None]
    noise = rng.uniform(0, 255, (count, *size, 3))
    return (noise * contrast + rng.uniform(0, 255, (count, 1, 1, 3)) * (1 - contrast)).astype(
        np.uint8
    )


@torch.no_grad()
def _reference(model: BaseReID, modality: str, pictures: np.ndarray, channels: str) -> np.ndarray:
    """Features by the way of the evaluation, each of length one, (N, D)."""
    bgr = pictures if channels == 'bgr' else pictures[..., ::-1].copy()
    samples = [ReIDDataSample(modality=modality) for _ in bgr]
    batch = dict(
        inputs=torch.from_numpy(bgr).permute(0, 3, 1, 2).contiguous(), data_samples=samples
    )
    inputs = model.data_preprocessor(batch)['inputs']
    try:
        return unit_rows(model.extract(inputs)).numpy()
    except KeyError as error:
        raise InvalidTypeError(
            f'export_onnx: the model, {type(model).__name__}, has no features of {modality} '
            'pictures, expected one that compares both modalities.'
        ) from error


def _compare(session, pictures: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference from PyTorch's features, in batches of several sizes."""
    found = [session.run([_OUTPUT], {_INPUT: pictures[:count]})[0] for count in _BATCHES]
    difference = max(float(np.abs(f - expected[: len(f)]).max()) for f in found)
    if not difference <= TOLERANCE:
        raise RunStoppedError(
            f'export_onnx: features of the exported network differ from PyTorch by up to '
            f'{difference:.1e}, expected at most {TOLERANCE:g}. Nothing was written.'
        )
    return difference


def _time_both(network: nn.Module, session, size: tuple[int, int]) -> dict[int, dict[str, float]]:
    """Seconds per picture, the best of some runs, by batch size and runtime."""
    return {
        count: {name: seconds / count for name, seconds in _time_batch(network, session, pictures)}
        for count, pictures in ((count, _make_pictures(count, size)) for count in _BATCH_SIZES)
    }


@torch.inference_mode()
def _time_batch(network: nn.Module, session, pictures: np.ndarray) -> Iterator[tuple[str, float]]:
    tensor = torch.from_numpy(pictures)
    yield 'PyTorch', _best_time(lambda: network(tensor))
    yield 'ONNX Runtime', _best_time(lambda: session.run([_OUTPUT], {_INPUT: pictures}))


def _best_time(run: Callable[[], object], repeats: int = 7) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
