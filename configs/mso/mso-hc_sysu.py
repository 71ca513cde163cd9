# Table 3, row 5: B + HC, with its weight of 0.1 (the best of several).
_base_ = ['mso_sysu.py', '../_base_/variants/mso.py']
model = _base_._variants.hc.model
