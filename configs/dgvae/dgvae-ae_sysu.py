# Table 2, row 6: two-branch auto-encoder with triplet swap reconstruction; nothing is sampled, no
# priors.
_base_ = ['dgvae_sysu.py', '../_base_/variants/dgvae.py']
model = _base_._variants.ae.model
_base_.default_hooks.stage.stages[1].update(_base_._variants.ae.stage_2)
