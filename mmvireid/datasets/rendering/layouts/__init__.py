"""The on-disk layouts of the published data sets."""

from .base import Layout, Shot
from .llcm import LLCMLayout
from .regdb import RegDBLayout
from .sysu import SYSULayout

LAYOUTS: dict[str, type[Layout]] = {'sysu': SYSULayout, 'regdb': RegDBLayout, 'llcm': LLCMLayout}
SIZES = ('tiny', 'small', 'benchmark', 'full')

__all__ = ['LAYOUTS', 'SIZES', 'LLCMLayout', 'Layout', 'RegDBLayout', 'SYSULayout', 'Shot']
