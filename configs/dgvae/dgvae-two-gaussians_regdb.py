# Table 2, row 10: a standard Gaussian is the prior of both codes (L_ambi on both), with the small
# weight wherever a code is new: the paper found a large one unstable.
_base_ = 'dgvae_regdb.py'
model = _base_.dgvae_variants.two_gaussians
_stage_1, _stage_2, _stage_3 = _base_.stages
_stage_1 = dict(_stage_1, loss_weights=dict(_stage_1.loss_weights, identity_gaussian=0.001))
default_hooks = dict(stage=dict(stages=[_stage_1, _stage_2, _stage_3]))
