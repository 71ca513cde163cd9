# Table 2, row 6: baseline + triplet swap reconstruction; nothing is sampled, no priors.
_base_ = 'dgvae-vae_synthetic.py'
model = dict(sampled=[], loss_weights=dict(ambiguous=0.0))
_stage_1, _stage_2, _stage_3 = _base_.stages
_stage_2 = dict(_stage_2, loss_weights=dict(_stage_2.loss_weights, ambiguous=0.0))
default_hooks = dict(stage=dict(stages=[_stage_1, _stage_2, _stage_3]))
