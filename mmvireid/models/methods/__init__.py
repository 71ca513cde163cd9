from .agw import AGW
from .dgvae import DGVAE

__all__ = ['AGW', 'DGVAE']
