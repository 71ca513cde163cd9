# Stripes and their classifiers alone: no term on centres.
_base_ = ['hct_synthetic.py', '../_base_/variants/hct.py']
model = _base_._variants.baseline.model
