# BCTR: the ranking across the modalities alone.
_base_ = ['bdtr_regdb.py', '../_base_/variants/bdtr.py']
model = _base_._variants.bctr.model
