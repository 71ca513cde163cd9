"""From pictures to features in one call."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device

from mmvireid.apis.image_sources import UNKNOWN, Source, list_rows
from mmvireid.apis.inference import FEATURES, init_model, predict_rows, stack_features
from mmvireid.apis.model_index import find_model
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.protocols.retrieval_setting import check_choices, check_positive
from mmvireid.models.base import BaseReID
from mmvireid.structures import ReIDDataSample

#: What becomes of images that cannot be read.
ON_UNREADABLE = ('stop', 'skip')


class ReIDInferencer:
    """A trained model that turns pictures into features.

    Loading, resizing and normalisation are those of the config's test pipeline: of a data set's
    table and the same batches, the features are those of ``tools/test.py`` to the last bit.

    Args:
        model: A config file, a loaded config, a name of the model index, or a model from
            :func:`init_model`, which has its weights.
        weights: Checkpoint; ``None`` takes that of the model index.
        device: Such as ``'cpu'`` or ``'cuda:0'``; ``None`` is a GPU if there is one, or where a
            model already is.
        cfg_options: Config values to override, with dotted keys.

    Attributes:
        model (BaseReID): The model.
        unreadable (dict[str, str]): By name, why images of the last call could not be read.

    Raises:
        KeyError: If there is no such config or model; names the nearest.
        ValueError: If no weights are known, they do not fit, or there is no such device.

    Example:
        >>> inferencer = ReIDInferencer('agw_synthetic', 'epoch_5.pth')  # doctest: +SKIP
        >>> features = inferencer('crops/', 'infrared')  # doctest: +SKIP
        >>> features.save('crops.npz', inferencer.source)  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str | Path | Config | BaseReID,
        weights: str | Path | None = None,
        device: str | None = None,
        cfg_options: dict | None = None,
    ) -> None:
        _check_device(device)
        self.unreadable: dict[str, str] = {}
        self.weights = None if weights is None else str(weights)
        if isinstance(model, BaseReID):
            if weights is not None or cfg_options:
                raise InvalidValueError(
                    'ReIDInferencer: `weights` or `cfg_options` is given beside a model, expected '
                    'them in init_model, which makes it.'
                )
            self.model = (model if device is None else model.to(device)).eval()
            return
        if isinstance(model, (str, Path)) and not Path(model).is_file():
            found = find_model(str(model))
            model, self.weights = found.config, self.weights or found.weights
        if self.weights is None:
            raise InvalidValueError(
                f'ReIDInferencer: `weights` is None, expected a checkpoint: the model index names '
                f'none for {_name_of(model)}, and features of random weights mean nothing.'
            )
        self.model = init_model(model, self.weights, device or get_device(), cfg_options)

    @cached_property
    def source(self) -> dict:
        """Whose features these are: plain values, to be saved beside them.

        ``config``, ``checkpoint`` and ``checksum``, the SHA-256 of all weights and of the test
        pipeline: what was made with another one cannot be compared.
        """
        config = self.model.cfg
        pipeline = config.test_dataloader.dataset.pipeline
        # as JSON, in which a list and a tuple are the same
        steps = json.dumps(list(pipeline), sort_keys=True, default=str)
        digest = hashlib.sha256(steps.encode())
        for name, value in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.cpu().contiguous().numpy().tobytes())
        return dict(config=_name_of(config), checkpoint=self.weights, checksum=digest.hexdigest())

    def __call__(
        self,
        inputs: Source | Sequence[Source],
        modality: str | None = None,
        camera_id: int = UNKNOWN,
        split: str | None = None,
        batch_size: int | None = None,
        num_workers: int = 0,
        amp: bool = False,
        on_unreadable: str = 'stop',
        progress: bool = False,
    ) -> FeatureSet:
        """Extract the features of pictures.

        Args:
            inputs: Files, folders, tables or arrays, uint8 BGR (h, w, 3) or what else ``to_bgr``
                takes, one or several; see :func:`~mmvireid.apis.image_sources.list_rows`.
            modality: ``'visible'`` or ``'infrared'``; not needed for tables, which tell it.
            camera_id: Camera of all pictures that no table tells it of.
            split: Whose lines of tables are taken; ``None`` for all.
            batch_size: Pictures per forward pass; ``None`` is that of the config's test.
            num_workers: Processes that load pictures; 0 loads them in this one.
            amp: Whether to compute in bf16.
            on_unreadable: ``'stop'`` refuses a picture that cannot be read, ``'skip'`` leaves it
                out and lists it in :attr:`unreadable`.
            progress: Whether to show a bar on the screen.

        Returns:
            A row per picture, in the order of ``inputs``. Persons and cameras that nobody has told
            are -1. With the config's ``flip_test`` it has ``flip_features`` too.

        Raises:
            ValueError: If an argument is not allowed, a picture cannot be read and is not to be
                skipped, or none is left.
            FileNotFoundError: If a table does not exist.
        """
        check_choices('ReIDInferencer', 'on_unreadable', [on_unreadable], ON_UNREADABLE)
        if batch_size is None:
            batch_size = self.model.cfg.test_dataloader.get('batch_size', 64)
        check_positive('ReIDInferencer', 'batch_size', batch_size)
        rows = list_rows(inputs, modality, camera_id, split)
        skip = on_unreadable == 'skip'
        samples, self.unreadable = predict_rows(
            self.model, rows, batch_size, num_workers, amp, skip, progress
        )
        if not samples:
            raise InvalidValueError(
                f'ReIDInferencer: none of the {len(rows)} pictures can be read; the first: '
                f'{next(iter(self.unreadable.values()))}'
            )
        return collect(samples)


def collect(samples: Sequence[ReIDDataSample]) -> FeatureSet:
    """A feature set of samples that a model has seen, in their order."""
    features = {f'{key}s': stack_features(samples, key) for key in FEATURES if key in samples[0]}
    return FeatureSet.from_rows(samples, **features)


def _check_device(device: str | None) -> None:
    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError) as error:  # which of them depends on the kind
        raise InvalidValueError(
            f'ReIDInferencer: `device` is {device!r}, expected cpu, or cuda or cuda:<number> where '
            'PyTorch finds such a GPU.'
        ) from error


def _name_of(config: str | Path | Config) -> str:
    return str(config.filename if isinstance(config, Config) else config)
