# PCB's parts on one stream.
_base_ = ['tslfn_synthetic.py', '../_base_/variants/tslfn.py']
model = _base_._variants.pcb.model
