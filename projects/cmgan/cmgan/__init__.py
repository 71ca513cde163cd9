from .cmgan import CMGAN, ModalityDiscriminator

__all__ = ['CMGAN', 'ModalityDiscriminator']
