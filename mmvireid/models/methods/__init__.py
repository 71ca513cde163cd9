from .agw import AGW
from .aligngan import AlignGAN
from .caj import CAJ
from .dgvae import DGVAE
from .expat import ExpAT
from .hicmd import HiCMD
from .hpiln import HPILN
from .mso import MSO
from .pretrain import IdentityPretraining
from .separate_aligngan import SeparateAlignGAN
from .striped_reid import StripedReID

__all__ = [
    'AGW',
    'CAJ',
    'DGVAE',
    'HPILN',
    'MSO',
    'AlignGAN',
    'ExpAT',
    'HiCMD',
    'IdentityPretraining',
    'SeparateAlignGAN',
    'StripedReID',
]
