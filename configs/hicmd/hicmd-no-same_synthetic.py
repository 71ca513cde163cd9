# Fig. 4: images are not decoded from their own codes.
_base_ = ['hicmd_synthetic.py', '../_base_/variants/hicmd.py']
model = _base_._variants.no_same.model
