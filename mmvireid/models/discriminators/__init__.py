from .joint_discriminator import JointDiscriminator
from .patch_discriminator import PatchDiscriminator
from .strided_discriminator import StridedDiscriminator

__all__ = ['JointDiscriminator', 'PatchDiscriminator', 'StridedDiscriminator']
