# Negatives as in public files of others: those of another group's anchors.
_base_ = ['hat_sysu.py', '../_base_/variants/hat.py']
model = _base_._variants.released_form.model
