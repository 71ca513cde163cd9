"""mmvireid: a toolbox for visible-infrared person re-identification."""

from .version import __version__

__all__ = ['__version__']
