from .backbones import *
from .base import *
from .data_preprocessors import *
from .heads import *
from .losses import *
from .methods import *
from .necks import *
