"""A trained model in three lines of Python."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from torch.utils.data import DataLoader, Dataset

from mmvireid.apis.image_sources import array_row, file_row
from mmvireid.datasets import reid_collate, reid_worker_init
from mmvireid.datasets.loading.worker_failure import note_image
from mmvireid.engine.runner import merge_options, read_config
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.storage import check_state_dict, load_checkpoint
from mmvireid.storage.checkpoint import with_weights
from mmvireid.structures import MODALITIES, ReIDDataSample

#: What a model's ``predict`` sets, of these as much as it was asked for.
FEATURES = ('feature', 'flip_feature')


def init_model(
    config: str | Path | Config,
    checkpoint: str | None = None,
    device: str = 'cpu',
    cfg_options: dict | None = None,
) -> BaseReID:
    """Build a model from a config, ready for inference.

    Args:
        config: Config file, or a loaded config. Configs are Python code: only use those you
            trust.
        checkpoint: Weights to load; ``None`` leaves the model random.
        device: Where the model goes, such as ``'cpu'`` or ``'cuda:0'``.
        cfg_options: Config values to override, with dotted keys, as ``--cfg-options`` does.

    Returns:
        The model in eval mode; its ``cfg`` attribute is the config, whose ``trained_on`` is what
        the checkpoint knows about its training data.

    Raises:
        TypeError: If ``config`` is of another kind.
        FileNotFoundError: If there is no such config file or checkpoint.
        ValueError: If the checkpoint does not fit, or holds code, or an option is wrong.

    Example:
        >>> model = init_model('configs/agw/agw_sysu.py', 'agw.pth')  # doctest: +SKIP
        >>> extract_features(model, ['0001.jpg'], 'visible').shape  # doctest: +SKIP
        (1, 2048)
    """
    if isinstance(config, (str, Path)):
        config = read_config(str(config), cfg_options)
    elif isinstance(config, Config):
        merge_options(config, cfg_options)
    else:
        raise InvalidTypeError(
            f'init_model: `config` is a {type(config).__name__}, expected a path or a Config.'
        )
    init_default_scope(config.get('default_scope', 'mmvireid'))
    model = MODELS.build(config.model)
    config.trained_on = None
    if checkpoint is not None:
        content = with_weights(load_checkpoint(checkpoint, key='checkpoint'), checkpoint)
        config.trained_on = content.get('meta', {}).get('dataset_meta')
        weights = content['state_dict']
        check_state_dict(model.state_dict(), weights, source=checkpoint)
        model.load_state_dict(weights)
    model.cfg = config
    return model.to(device).eval()


def extract_features(
    model: BaseReID,
    images: Sequence[str | Path | np.ndarray],
    modality: str,
    batch_size: int = 64,
) -> np.ndarray:
    """Extract the retrieval features of images of one modality.

    Loading, resizing and normalisation are those of the config's test pipeline, so the features
    are those that evaluation ranks by. ``ReIDInferencer`` takes folders and tables too, and keeps
    the names.

    Args:
        model: From :func:`init_model`.
        images: Paths of what ``read_image`` decodes, or arrays that ``to_bgr`` takes, of any size:
            uint8 BGR (h, w, 3), grey, with alpha, or 16 bits.
        modality: ``'visible'`` or ``'infrared'``.
        batch_size: Images per forward pass.

    Returns:
        Features, float32, shape (N, D), L2-normalised unless the model has
        ``unit_features=False``.

    Raises:
        ValueError: If ``modality`` is unknown, ``images`` is empty, or an image cannot be read
            or is an array of another kind.
    """
    if modality not in MODALITIES:
        raise InvalidValueError(
            f'extract_features: `modality` is {modality!r}, expected one of {MODALITIES}.'
        )
    if len(images) == 0:
        raise InvalidValueError('extract_features: `images` is empty, expected at least one image.')
    rows = [dict(_image_row(image, index), modality=modality) for index, image in enumerate(images)]
    samples, _ = predict_rows(model, rows, batch_size)
    return stack_features(samples, 'feature')


def _image_row(image: str | Path | np.ndarray, index: int) -> dict:
    where = f'extract_features: `images[{index}]`'
    if isinstance(image, (str, Path)):
        return file_row(image)
    if isinstance(image, np.ndarray):
        return array_row(image, index, where)
    raise InvalidValueError(f'{where} is a {type(image).__name__}, expected a path or an array.')


@torch.no_grad()
def predict_rows(
    model: BaseReID,
    rows: Sequence[dict],
    batch_size: int,
    num_workers: int = 0,
    amp: bool = False,
    skip_unreadable: bool = False,
    progress: bool = False,
) -> tuple[list[ReIDDataSample], dict[str, str]]:
    """Send images through the test pipeline of a model's config, and through the model.

    Args:
        model: From :func:`init_model`.
        rows: What the pipeline takes, one per image, with ``name``.
        batch_size: Images per forward pass.
        num_workers: Processes that load images; 0 loads them in this one.
        amp: Whether to compute in bf16 where autocast does.
        skip_unreadable: Whether images that cannot be read are left out, and not refused.
        progress: Whether to show a bar on the screen.

    Returns:
        Samples with their features in float32 on the CPU, in the order of ``rows``; and by name
        why the images that were left out cannot be read.

    Raises:
        ValueError: If an image cannot be read; names it. If ``num_workers`` is below 0.
    """
    if num_workers < 0:
        raise InvalidValueError(
            f'predict_rows: `num_workers` is {num_workers}, expected at least 0.'
        )
    images = _Images(rows, Compose(model.cfg.test_dataloader.dataset.pipeline))
    loader = DataLoader(
        images, batch_size, num_workers=num_workers, collate_fn=_collate,
        worker_init_fn=reid_worker_init,
    )  # fmt: skip
    if progress:
        loader = track(loader, 'extracting', console=Console(stderr=True), transient=True)
    device = model.data_preprocessor.device.type
    samples, unreadable = [], {}
    for batch, failures in loader:
        for index, reason in failures:
            if not skip_unreadable:
                raise InvalidValueError(reason)
            unreadable[rows[index]['name']] = reason
        if batch is not None:
            with torch.autocast(device, torch.bfloat16, enabled=amp):
                predicted = model.test_step(batch)
            samples += _to_cpu(sorted(predicted, key=lambda sample: sample.sample_idx))
    return samples, unreadable


class _Images(Dataset):
    """Rows sent through a pipeline; for one that cannot be read its number and the reason."""

    def __init__(self, rows: Sequence[dict], pipeline: Compose) -> None:
        self.rows, self.pipeline = rows, pipeline

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict | tuple[int, str]:
        row = dict(self.rows[index], sample_idx=index)
        note_image(row['img_path'])
        try:
            return self.pipeline(row)
        except InvalidValueError as error:
            return index, str(error)


def _collate(items: list[dict | tuple[int, str]]) -> tuple[dict | None, list[tuple[int, str]]]:
    """A batch of the images that could be read, ``None`` without any, and the others."""
    readable = [item for item in items if isinstance(item, dict)]
    failures = [item for item in items if isinstance(item, tuple)]
    return (reid_collate(readable) if readable else None), failures


def _to_cpu(samples: Sequence[ReIDDataSample]) -> Sequence[ReIDDataSample]:
    """Copy the features of a batch to the CPU, all at once."""
    for key in FEATURES:
        if key in samples[0]:
            features = torch.stack([sample.get(key) for sample in samples]).float().cpu()
            for sample, feature in zip(samples, features):
                sample.set_field(feature, key)
    return samples


def stack_features(samples: Sequence[ReIDDataSample], key: str) -> np.ndarray:
    """The features of samples, float32, shape (N, D)."""
    return torch.stack([sample.get(key) for sample in samples]).numpy()
