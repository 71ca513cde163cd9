# One network on both modalities with the same identity and triplet terms: no X, no centres.
_base_ = ['xiv_synthetic.py', '../_base_/variants/xiv.py']
model = _base_._variants.baseline.model
