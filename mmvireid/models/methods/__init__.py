from .agw import AGW
from .aligngan import AlignGAN
from .caj import CAJ
from .dgvae import DGVAE
from .hat import HAT
from .hicmd import HiCMD
from .mso import MSO
from .pretrain import IdentityPretraining
from .separate_aligngan import SeparateAlignGAN
from .striped_reid import StripedReID
from .xiv import XIV

__all__ = [
    'AGW',
    'CAJ',
    'DGVAE',
    'HAT',
    'MSO',
    'XIV',
    'AlignGAN',
    'HiCMD',
    'IdentityPretraining',
    'SeparateAlignGAN',
    'StripedReID',
]
