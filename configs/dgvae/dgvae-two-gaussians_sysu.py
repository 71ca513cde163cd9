# Table 2, row 10: a standard Gaussian is the prior of both codes (L_ambi on both), with the small
# weight wherever a code is new: the paper found a large one unstable.
_base_ = ['dgvae_sysu.py', '../_base_/variants/dgvae.py']
model = _base_._variants.two_gaussians.model
_base_.default_hooks.stage.stages[0].update(_base_._variants.two_gaussians.stage_1)
