# Fig. 4: images are not decoded from their own codes.
_base_ = ['hicmd_synthetic.py', '../_base_/models/hicmd_variants.py']
model = _base_.no_same_model
