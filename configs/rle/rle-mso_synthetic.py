# MSO with RLE's augmentation, and nothing else of it.
_base_ = ['../mso/mso_synthetic.py', '../_base_/variants/rle.py']
model = _base_._variants.full.model
