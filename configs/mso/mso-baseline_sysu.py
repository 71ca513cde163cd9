# Table 3, row 1: AGW's terms alone ("B").
_base_ = ['mso_sysu.py', '../_base_/variants/mso.py']
model = _base_._variants.baseline.model
