# LbA on AGW's ResNet-50. `model.head.num_ids` comes with the data set.
_base_ = ['agw_resnet50.py', 'lba_parts.py']
model = _base_._lba
