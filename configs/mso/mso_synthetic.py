# MSO on rendered data: everything but the terms is that of agw_synthetic.py, the schedule too,
# so that a difference from AGW is one of terms.
# VGG-16 is a narrow one, which has learned from rendered people too.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/mso_parts.py']
_vgg = dict(weights='mmvireid://vgg16_rendered', base_channels=16)
model = dict(_base_.mso_parts, edge_loss=dict(_base_.mso_parts.edge_loss, **_vgg))
