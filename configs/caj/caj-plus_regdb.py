# The release has CAJ+'s probabilities on SYSU-MM01 alone; here it is the soft term.
_base_ = 'caj_regdb.py'
model = _base_._variants.soft.model
