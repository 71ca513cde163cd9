"""Features of all test images of a model's config, from one pass."""

from collections import defaultdict
from collections.abc import Callable

import torch
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader

from mmvireid.datasets import check_trained_on
from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.engine.runner.setup import fit_loaders
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import FeatureSet
from mmvireid.models.base import BaseReID

#: From normalised images per modality to features (N, D) by name.
Encoder = Callable[[dict[str, Tensor]], dict[str, Tensor]]


@torch.no_grad()
def encode_images(
    loader: DataLoader,
    preprocessor: Callable[[dict], dict],
    encode: Encoder,
) -> dict[str, FeatureSet]:
    """Encode every image of a loader once.

    Args:
        loader: Gives collated batches.
        preprocessor: The model's data preprocessor.
        encode: Gives one feature per image and name, visible images first.

    Returns:
        A feature set per name, on the CPU.
    """
    parts, samples = defaultdict(list), []
    progress = Console(stderr=True)
    for batch in track(loader, 'extracting', console=progress, transient=True):
        batch = preprocessor(batch)
        for name, features in encode(batch['inputs']).items():
            parts[name].append(features.float().cpu())
        samples += batch['data_samples']
    return {
        name: FeatureSet.from_rows(samples, torch.cat(features).numpy())
        for name, features in parts.items()
    }


def encode_test_images(
    model: BaseReID, encode: Encoder, dataset: BaseReIDDataset | None = None
) -> dict[str, FeatureSet]:
    """What :func:`encode_images` makes of the test images of a model's config.

    Args:
        model: From ``init_model``.
        encode: As there.
        dataset: These images instead.

    Raises:
        ValueError: If the config's images contradict what the model was trained on.
    """
    fit_loaders(model.cfg)
    loader = dict(model.cfg.test_dataloader)
    if dataset is not None:
        loader['dataset'] = dataset
    loader = Runner.build_dataloader(loader, seed=0)
    if dataset is None:
        check_trained_on(loader.dataset, model.cfg.get('trained_on'), 'the checkpoint')
    return encode_images(loader, model.data_preprocessor, encode)


def extract_test_features(model: BaseReID, dataset: BaseReIDDataset | None = None) -> FeatureSet:
    """Retrieval features of the test images of a model's config, not normalised.

    Args:
        model: From ``init_model``.
        dataset: These images instead.
    """

    def encode(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return dict(features=model.extract(inputs))

    return encode_test_images(model, encode, dataset)['features']


def check_same_images(reference: FeatureSet, other: FeatureSet, source: str) -> None:
    """Make sure that two models were tested on the same images, in any order.

    Args:
        reference: Features of the first model.
        other: Features of another one.
        source: Who gave ``other``, for the message.

    Raises:
        ValueError: If they were not.
    """
    if set(other.names) != set(reference.names):
        raise InvalidValueError(
            f'check_same_images: {source} tests on other images, expected the same data set and '
            'split as CONFIG.'
        )
