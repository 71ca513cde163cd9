from .agw import AGW
from .aligngan import AlignGAN
from .caj import CAJ
from .dgvae import DGVAE
from .hicmd import HiCMD
from .mso import MSO
from .pretrain import IdentityPretraining
from .separate_aligngan import SeparateAlignGAN
from .striped_reid import StripedReID

__all__ = [
    'AGW',
    'CAJ',
    'DGVAE',
    'MSO',
    'AlignGAN',
    'HiCMD',
    'IdentityPretraining',
    'SeparateAlignGAN',
    'StripedReID',
]
