# Without classifiers per modality, and so without teachers.
_base_ = ['mpanet_synthetic.py', '../_base_/variants/mpanet.py']
model = _base_._variants.no_teaching.model
del _base_.default_hooks.teacher
