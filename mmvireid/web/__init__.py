"""A page in the browser: search a gallery, and look into a finished evaluation."""

from .evaluation_tab import Evaluation
from .page import build_page
from .search_tab import Searcher
from .server import serve

__all__ = ['Evaluation', 'Searcher', 'build_page', 'serve']
