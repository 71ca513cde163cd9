# Table 3, row 5: B + HC, with its weight of 0.1 (the best of several).
_base_ = 'mso_sysu.py'
model = dict(
    center_loss=dict(_delete_=True, type='HeteroCenterLoss'),
    loss_weights=dict(edge=0.0, center=0.1),
)
