# Table 3, row 2: B + PEF.
_base_ = ['mso_synthetic.py', '../_base_/variants/mso.py']
model = _base_._variants.pef.model
