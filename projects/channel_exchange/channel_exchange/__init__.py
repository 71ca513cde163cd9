from .permuted_channels import ChannelPermutationAugmentation

__all__ = ['ChannelPermutationAugmentation']
