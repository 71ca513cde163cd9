# Table 2, row 3: baseline + L_gmm + L_lmc, without the ambiguous branch; trained as long and at the
# same rates as the identity branch of the full model (its stages 1 and 3).
_base_ = ['dgvae_regdb.py', '../_base_/variants/dgvae.py']
model = _base_._variants.mog_margin.model
default_hooks = _base_._variants.mog_margin.default_hooks
param_scheduler = _base_._variants.mog_margin.param_scheduler
train_cfg = _base_._variants.mog_margin.train_cfg
