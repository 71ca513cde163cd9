# Table 2, row 1: extractors and identity encoder with the task terms of the means alone, trained as
# long and at the same rates as the identity branch of the full model (its stages 1 and 3).
_base_ = 'dgvae_synthetic.py'
_unused = ['mixture', 'margin', 'ambiguous', 'reconstruction', 'cycle', 'identity_consistency']
_unused += ['identity_sampled', 'triplet_sampled']
model = dict(loss_weights=dict.fromkeys(_unused, 0.0))
_stages = [dict(name='identity', frozen=['ambiguous_encoder', 'decoder', 'mixture_prior'])]
default_hooks = dict(stage=dict(stages=_stages))
_warmup, _steps = _base_.param_scheduler
param_scheduler = [_warmup, dict(_steps, milestones=[6], end=8)]
train_cfg = dict(max_epochs=8, val_interval=8)
