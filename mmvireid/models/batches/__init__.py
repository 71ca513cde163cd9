"""Who is compared with whom in a batch: centres, pairs, triplets, views, combinations."""

from .centers import (
    ModalityCenters,
    identity_centers,
    modality_centers,
    split_modalities,
    sum_over_modalities,
)
from .code_combinations import (
    FAKE,
    Groups,
    check_group_rows,
    combine_codes,
    group_sizes,
    split_singles,
)
from .pairs import identity_shift, paired_labels
from .triplets import check_cross_modality_batch, check_positives, draw_cross_modality_triplets
from .views import view_rows, with_view

__all__ = [
    'FAKE',
    'Groups',
    'ModalityCenters',
    'check_cross_modality_batch',
    'check_group_rows',
    'check_positives',
    'combine_codes',
    'draw_cross_modality_triplets',
    'group_sizes',
    'identity_centers',
    'identity_shift',
    'modality_centers',
    'paired_labels',
    'split_modalities',
    'split_singles',
    'sum_over_modalities',
    'view_rows',
    'with_view',
]
