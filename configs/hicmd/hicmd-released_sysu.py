# As released, on the 296 identities of the official training split; what is different still:
# `hicmd-released_regdb.py`.
_base_ = ['hicmd_sysu.py', '../_base_/variants/hicmd.py']
num_ids = 296
model = _base_._variants.released.model
model.feature_module.head.num_ids = num_ids
train_dataloader = dict(**_base_._variants.released.train_dataloader, dataset=dict(split='train'))
optim_wrapper = _base_._variants.released.optim_wrapper
