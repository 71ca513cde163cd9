# Table 4, PixAlign: nothing aligns features.
_base_ = ['aligngan_synthetic.py', '../_base_/variants/aligngan.py']
model = _base_._variants.pixalign.model
