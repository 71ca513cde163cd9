# Table 3, row 2: B + PEF.
_base_ = ['mso_sysu.py', '../_base_/variants/mso.py']
model = _base_._variants.pef.model
