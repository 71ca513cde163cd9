# Cross-entropy alone: the first PyTorch baseline of the authors.
_base_ = ['bdtr_sysu.py', '../_base_/variants/bdtr.py']
model = _base_._variants.baseline.model
