from .agw import AGW
from .aligngan import AlignGAN
from .caj import CAJ
from .deen import DEEN
from .dgvae import DGVAE
from .dns import DNS
from .expat import ExpAT
from .hat import HAT
from .hicmd import HiCMD
from .hpiln import HPILN
from .lba import LbA
from .mpanet import MPANet
from .mscmnet import MSCMNet
from .mso import MSO
from .pmt import PMT
from .pretrain import IdentityPretraining
from .separate_aligngan import SeparateAlignGAN
from .striped_reid import StripedReID
from .xiv import XIV

__all__ = [
    'AGW',
    'CAJ',
    'DEEN',
    'DGVAE',
    'DNS',
    'HAT',
    'HPILN',
    'MSO',
    'PMT',
    'XIV',
    'AlignGAN',
    'ExpAT',
    'HiCMD',
    'IdentityPretraining',
    'LbA',
    'MPANet',
    'MSCMNet',
    'SeparateAlignGAN',
    'StripedReID',
]
