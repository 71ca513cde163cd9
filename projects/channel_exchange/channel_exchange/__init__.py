from .two_views import ExchangedView, two_view_collate

__all__ = ['ExchangedView', 'two_view_collate']
