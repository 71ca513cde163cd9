from .agw import AGW
from .aligngan import AlignGAN
from .dgvae import DGVAE
from .hicmd import HiCMD
from .mso import MSO
from .pretrain import IdentityPretraining
from .separate_aligngan import SeparateAlignGAN

__all__ = ['AGW', 'DGVAE', 'MSO', 'AlignGAN', 'HiCMD', 'IdentityPretraining', 'SeparateAlignGAN']
