"""Pedestrians rendered with OpenCV."""

from .layouts import LAYOUTS, SIZES, Layout, Shot
from .picture import render_jpeg, render_picture
from .writer import ensure_rendered

__all__ = [
    'LAYOUTS', 'SIZES', 'Layout', 'Shot', 'ensure_rendered', 'render_jpeg', 'render_picture',
]  # fmt: skip
