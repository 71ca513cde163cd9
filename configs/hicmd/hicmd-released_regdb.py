# As released, where there is a switch. What is different still: identities are drawn evenly, where
# the release shows each image once per epoch as the first of a pair; epochs have 1,000 iterations;
# erased rectangles have log-uniform aspects, not uniform ones; the decoder's LayerNorm differs by
# 5e-6; the last checkpoint is reported, not one chosen on the test split.
_base_ = ['hicmd_regdb.py', '../_base_/variants/hicmd.py']
model = _base_._variants.released.model
train_dataloader = _base_._variants.released.train_dataloader
optim_wrapper = _base_._variants.released.optim_wrapper
