# Table 3, row 3: B + expAT.
_base_ = ['mso_synthetic.py', '../_base_/variants/mso.py']
model = _base_._variants.expat.model
