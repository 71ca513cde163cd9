# Table 3, row 6: B + CMCC.
_base_ = 'mso_synthetic.py'
model = dict(loss_weights=dict(edge=0.0))
