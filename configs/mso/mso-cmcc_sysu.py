# Table 3, row 6: B + CMCC.
_base_ = ['mso_sysu.py', '../_base_/variants/mso.py']
model = _base_._variants.cmcc.model
