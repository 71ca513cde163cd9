# Table 3, row 2: B + PEF.
_base_ = 'mso_synthetic.py'
model = dict(loss_weights=dict(center=0.0))
