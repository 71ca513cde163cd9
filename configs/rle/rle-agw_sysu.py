# AGW with RLE's augmentation, and nothing else of it.
_base_ = ['../agw/agw_sysu.py', '../_base_/variants/rle.py']
model = _base_._variants.full.model
