# Table 2, row 3: baseline + L_gmm + L_lmc, without the ambiguous branch; trained as long and at the
# same rates as the identity branch of the full model (its stages 1 and 3).
_base_ = ['dgvae_synthetic.py', '../_base_/variants/dgvae.py']
model = _base_._variants.mog_margin.model
default_hooks = _base_._variants.mog_margin.default_hooks
_warmup, _steps = _base_.param_scheduler
param_scheduler = [_warmup, dict(_steps, milestones=[6], end=8)]
train_cfg = dict(max_epochs=8, val_interval=8)
