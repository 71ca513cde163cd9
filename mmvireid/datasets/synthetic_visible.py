"""Rendered people before visible cameras only, to classify."""

from collections import defaultdict

from mmvireid.datasets.reading.image_tree import ImageTree
from mmvireid.registry import DATASETS
from mmvireid.structures import VISIBLE

from .synthetic import SyntheticSYSU


@DATASETS.register_module()
class SyntheticVisible(SyntheticSYSU):
    """Visible pictures of rendered people, to pre-train networks on as the field does on ImageNet.

    Everybody is there, whatever SYSU-MM01's protocol would use them for, and nobody in infrared.
    A rendering's seed makes its people, so another seed than that of a data set which is trained
    and tested on shows none of its people.

    Splits: ``heldout``, one picture of each person, and ``train``, all the others. Both have
    labels, and the same ones: who is classified is known, the picture is not.

    Args:
        data_root: Folder that the images are rendered into.
        split: One of the two.
        size: See :class:`SyntheticSYSU`.
        seed: Seed of the rendering.
        **kwargs: See :class:`BaseReIDDataset`.
    """

    METAINFO = {'dataset': 'synthetic_visible', 'protocol': 'identities'}
    splits = training_splits = ('train', 'heldout')
    paired = False

    @staticmethod
    def parts_of(split: str) -> tuple[str, ...]:
        return ('train', 'val', 'test')

    def list_images(self, tree: ImageTree) -> list[dict]:
        by_person = defaultdict(list)
        for row in sorted(super().list_images(tree), key=lambda row: row['name']):
            if row['modality'] == VISIBLE:
                by_person[row['person_id']].append(row)
        # the number moves on from person to person, so that every camera has some of them
        chosen = {own[number % len(own)]['name'] for number, own in enumerate(by_person.values())}
        rows = [row for own in by_person.values() for row in own]
        return [row for row in rows if (row['name'] in chosen) == (self.split == 'heldout')]
