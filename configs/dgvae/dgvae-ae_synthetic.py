# Table 2, row 6: two-branch auto-encoder with triplet swap reconstruction; nothing is sampled, no
# priors.
_base_ = 'dgvae_synthetic.py'
model = _base_.dgvae_variants.ae
_stage_1, _stage_2, _stage_3 = _base_.stages
_stage_2 = dict(_stage_2, loss_weights=dict(_stage_2.loss_weights, ambiguous=0.0))
default_hooks = dict(stage=dict(stages=[_stage_1, _stage_2, _stage_3]))
