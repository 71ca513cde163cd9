"""Two views of every visible image: as it is, and with one of its channels in place of all."""

import random
from collections.abc import Sequence

from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmvireid.datasets import reid_collate
from mmvireid.registry import FUNCTIONS, TRANSFORMS
from mmvireid.structures import VISIBLE

VIEW = 'exchanged_view'


@TRANSFORMS.register_module()
class ExchangedView(BaseTransform):
    """Random channel exchange (Ye et al., ICCV 2021) as a second view of visible images.

    One of the channels R, G and B, drawn uniformly, is copied to all three: such an image has no
    colour, as an infrared one, but the light of only a part of the spectrum. Infrared images have
    no second view.

    Deviation: both views have the same crop and flip; in the paper each has its own.

    It stands behind ``PackReIDInputs``, because that drops every key it does not know.

    Required Keys:

    - inputs (uint8 tensor, shape (3, H, W))
    - data_samples

    Added Keys:

    - exchanged_view (like inputs; of visible images only)
    """

    @cache_randomness
    def _draw_channel(self) -> int:
        return random.randrange(3)

    def transform(self, results: dict) -> dict:
        if results['data_samples'].modality == VISIBLE:
            results[VIEW] = results['inputs'][self._draw_channel()].expand(3, -1, -1)
        return results

    def __repr__(self) -> str:
        return 'ExchangedView()'


@FUNCTIONS.register_module()
def two_view_collate(items: Sequence[dict]) -> dict:
    """Put the second views behind the images, as further visible images of the same people.

    The data preprocessor sorts a batch by modality, so a method gets 2V visible images (first the
    V images, then their second views) and the infrared ones, each with its label, and needs to
    know nothing about views.

    Args:
        items: N outputs of the pipeline, of which V have a second view.

    Returns:
        ``inputs``, uint8, shape (N + V, 3, H, W), and ``data_samples``, a list of N + V.
    """
    images = [{key: item[key] for key in ('inputs', 'data_samples')} for item in items]
    views = [
        dict(inputs=item[VIEW].contiguous(), data_samples=item['data_samples'].clone())
        for item in items
        if VIEW in item
    ]
    return reid_collate([*images, *views])
