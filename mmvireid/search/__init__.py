"""Who is most alike: features of one picture among those of many."""

from .exact import Neighbours, search_exact
from .gallery import Gallery
from .records import Match, file_digest

__all__ = ['Gallery', 'Match', 'Neighbours', 'file_digest', 'search_exact']
