# Table 3, row 3: B + expAT.
_base_ = 'mso_sysu.py'
model = dict(
    center_loss=dict(_delete_=True, type='ExpAngleTripletLoss', margin=1.0),
    loss_weights=dict(edge=0.0),
)
