"""Pictures of what a generator makes, drawn while it learns."""

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.datasets import SeededIndex, reid_collate
from mmvireid.datasets.loading.seeded_index import seeded_randomness
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.models.base import unwrap
from mmvireid.registry import HOOKS
from mmvireid.structures import MODALITIES
from mmvireid.visualization import draw_image_grid


@HOOKS.register_module()
class GenerationHook(Hook):
    """Draw real and generated images of the same people every so often.

    The picture, a row per person, goes to every backend of the visualiser: into the work dir
    (``LocalVisBackend``), into TensorBoard (``TensorboardVisBackend``). Training does not notice:
    no statistics move and no random number of it is drawn.

    The model must have ``generate(inputs)``. It gets normalised images per modality, each
    (n, 3, H, W), row i of each the same person, and returns the columns of the picture by their
    titles, in this order, each (n, 3, H, W), normalised too; real ones among them.

    Args:
        interval: Number of iterations between two pictures; there is one after the last, too.
        num_images: Number of people, or all if the training split has fewer. They are drawn once,
            and an image per modality of each.
        seed: Seed of the draw, of the augmentation, and of what ``generate`` draws.

    Raises:
        ValueError: If ``interval`` or ``num_images`` is below 1.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, num_images: int = 6, seed: int = 0) -> None:
        if min(interval, num_images) < 1:
            raise InvalidValueError(
                f'GenerationHook: `interval` is {interval} and `num_images` is {num_images}, '
                'expected at least 1.'
            )
        self.interval = interval
        self.num_images = num_images
        self.seed = seed

    def before_train(self, runner: Runner) -> None:
        """Load the images.

        Raises:
            TypeError: If the model has no ``generate``.
        """
        model = unwrap(runner.model)
        if not callable(getattr(model, 'generate', None)):
            raise InvalidTypeError(
                f'GenerationHook: `model` is a {type(model).__name__}, expected one with a method '
                '`generate(inputs)`; take the hook out of the config of any other.'
            )
        if is_main_process():
            self._load_batch(runner.train_dataloader.dataset)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Draw the picture when it is time."""
        is_due = self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)
        if is_due and is_main_process():
            title = f'iteration {runner.iter + 1}'
            picture = draw_image_grid(self._generate(unwrap(runner.model)), self.captions, title)
            rgb = np.ascontiguousarray(picture[..., ::-1])
            runner.visualizer.add_image('generated', rgb, step=runner.iter + 1)

    def _load_batch(self, dataset) -> None:
        """Draw people and images, load them and keep them."""
        rows = [dataset.get_data_info(index) for index in range(len(dataset))]
        ids = np.unique([row['person_id'] for row in rows])
        rng = np.random.default_rng(self.seed)
        drawn = rng.choice(ids, min(self.num_images, len(ids)), replace=False)
        indices = [
            rng.choice([i for i, row in enumerate(rows) if _shows(row, person_id, modality)])
            for modality in MODALITIES
            for person_id in drawn
        ]
        self.captions = [f'person {person_id}' for person_id in drawn]
        self.batch = reid_collate([dataset[SeededIndex(int(i), self.seed)] for i in indices])

    @torch.no_grad()
    def _generate(self, model) -> dict[str, list[np.ndarray]]:
        """The columns of the picture, uint8 BGR images (H, W, 3)."""
        preprocessor, was_training = model.data_preprocessor, model.training
        devices = [preprocessor.device] if preprocessor.device.type == 'cuda' else []
        model.eval()
        with seeded_randomness(self.seed), torch.random.fork_rng(devices):
            torch.manual_seed(self.seed)
            columns = model.generate(preprocessor(self.batch)['inputs'])
        model.train(was_training)
        return {title: preprocessor.to_pictures(images) for title, images in columns.items()}


def _shows(row: dict, person_id: int, modality: str) -> bool:
    return row['person_id'] == person_id and row['modality'] == modality
