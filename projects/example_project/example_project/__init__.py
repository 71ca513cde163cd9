from .cosine_triplet_loss import CosineTripletLoss

__all__ = ['CosineTripletLoss']
