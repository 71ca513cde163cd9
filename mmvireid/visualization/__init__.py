from .distances import draw_distances, mean_distances
from .drawing import write_figure
from .image_grid import draw_image_grid
from .local_vis_backend import LocalVisBackend
from .projection import choose_rows, tsne
from .ranked_lists import RankedList, draw_ranked_lists

__all__ = [
    'LocalVisBackend',
    'RankedList',
    'choose_rows',
    'draw_distances',
    'draw_image_grid',
    'draw_ranked_lists',
    'mean_distances',
    'tsne',
    'write_figure',
]
