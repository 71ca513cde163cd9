from .joint_discriminator import JointDiscriminator
from .multi_scale_discriminator import MultiScaleDiscriminator
from .patch_discriminator import PatchDiscriminator
from .strided_discriminator import StridedDiscriminator

__all__ = [
    'JointDiscriminator',
    'MultiScaleDiscriminator',
    'PatchDiscriminator',
    'StridedDiscriminator',
]
