from .agw import AGW
from .dgvae import DGVAE
from .mso import MSO

__all__ = ['AGW', 'DGVAE', 'MSO']
