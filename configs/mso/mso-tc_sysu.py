# Table 3, row 4: B + TC; margin, weight and rate of the centres are not in the paper.
_base_ = ['mso_sysu.py', '../_base_/variants/mso.py']
model = _base_._variants.tc.model
model.center_loss.update(num_ids=_base_.num_ids, in_channels=2048)
optim_wrapper = _base_._variants.tc.optim_wrapper
