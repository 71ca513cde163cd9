# Table 3, row 4: B + TC; margin, weight and rate of the centres are not in the paper.
_base_ = 'mso_synthetic.py'
model = dict(
    center_loss=dict(
        _delete_=True,
        type='TripletCenterLoss',
        num_ids=_base_.num_ids,
        in_channels=256,
        margin=5.0,
    ),
    loss_weights=dict(edge=0.0, center=0.1),
)
_centers = dict(lr_mult=10.0, decay_mult=0.0)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(centers=_centers)))
