# TSLFN: stripes and their classifiers alone.
_base_ = ['tslfn_synthetic.py', '../_base_/variants/tslfn.py']
model = _base_._variants.baseline.model
