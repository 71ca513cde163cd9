from .ranked_lists import RankedList, draw_ranked_lists

__all__ = ['RankedList', 'draw_ranked_lists']
