# Fig. 4: fakes are not compared with real images.
_base_ = ['hicmd_synthetic.py', '../_base_/models/hicmd_variants.py']
model = _base_.no_cross_model
