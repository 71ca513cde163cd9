# MSO on AGW's ResNet-50. `model.head.num_ids` comes with the data set.
_base_ = ['agw_resnet50.py', 'mso_parts.py']
model = _base_.mso_parts
