# Table 2, row 1: real images only, and no triplets.
_base_ = 'hicmd-original_sysu.py'
model = dict(loss_weights=dict(triplet=0.0))
