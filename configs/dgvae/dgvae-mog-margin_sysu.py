# Table 2, row 3: baseline + L_gmm + L_lmc, without the ambiguous branch; trained as long and at the
# same rates as the identity branch of the full model (its stages 1 and 3).
_base_ = 'dgvae_sysu.py'
model = _base_.dgvae_variants.mog_margin
_stages = [dict(name='identity', frozen=['ambiguous_encoder', 'decoder'])]
default_hooks = dict(stage=dict(stages=_stages))
param_scheduler = dict(milestones=[100], end=200)
train_cfg = dict(max_epochs=200)
