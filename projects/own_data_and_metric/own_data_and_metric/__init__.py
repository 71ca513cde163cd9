from .circle_loss import CircleLoss
from .night_to_day import NightToDayProtocol
from .pair_order import PairOrder

__all__ = ['CircleLoss', 'NightToDayProtocol', 'PairOrder']
