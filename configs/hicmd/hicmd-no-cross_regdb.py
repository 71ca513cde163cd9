# Fig. 4: fakes are not compared with real images.
_base_ = ['hicmd_regdb.py', '../_base_/variants/hicmd.py']
model = _base_._variants.no_cross.model
