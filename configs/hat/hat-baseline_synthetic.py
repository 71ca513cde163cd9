# The same network on both modalities, without grey: cross-entropy and batch-hard triplets.
_base_ = ['hat_synthetic.py', '../_base_/variants/hat.py']
model = _base_._variants.baseline.model
