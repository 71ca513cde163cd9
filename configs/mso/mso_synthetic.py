# MSO on rendered data: everything but the terms is that of agw_synthetic.py, the schedule too.
# VGG-16 has random weights, which nothing need be downloaded for.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/mso_parts.py']
model = dict(_base_.mso_parts, edge_loss=dict(_base_.mso_parts.edge_loss, weights='random'))
