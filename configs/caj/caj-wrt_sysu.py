_base_ = 'caj_sysu.py'
model = _base_._variants.wrt.model
