"""A trained model in three lines of Python."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmvireid.datasets import reid_collate
from mmvireid.datasets.transforms.loading import to_bgr
from mmvireid.engine.runner import merge_options, read_config
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.storage import check_state_dict, load_checkpoint
from mmvireid.storage.checkpoint import with_weights
from mmvireid.structures import MODALITIES


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


@torch.no_grad()
def extract_features(
    model: BaseReID,
    images: Sequence[str | Path | np.ndarray],
    modality: str,
    batch_size: int = 64,
) -> np.ndarray:
    """Extract the retrieval features of images of one modality.

    Loading, resizing and normalisation are those of the config's test pipeline, so the features
    are those that evaluation ranks by.

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
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    features = []
    for start in range(0, len(images), batch_size):
        batch = [
            pipeline(_to_results(image, index, modality))
            for index, image in enumerate(images[start : start + batch_size], start)
        ]
        samples = model.test_step(reid_collate(batch))
        features.append(torch.stack([sample.feature for sample in samples]).float().cpu())
    return torch.cat(features).numpy()


def _to_results(image: str | Path | np.ndarray, index: int, modality: str) -> dict:
    """What the test pipeline gets for one image."""
    results = dict(modality=modality, sample_idx=index)
    if isinstance(image, (str, Path)):
        return results | dict(img_path=str(image), name=str(image))
    if isinstance(image, np.ndarray):
        pixels = to_bgr(image, f'extract_features: `images[{index}]`')
        return results | dict(img=pixels, img_path='', name=f'image {index}')
    raise InvalidValueError(
        f'extract_features: `images[{index}]` is a {type(image).__name__}, expected a path or an '
        'array.'
    )
