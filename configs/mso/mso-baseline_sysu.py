# Table 3, row 1: AGW's terms alone ("B").
_base_ = 'mso_sysu.py'
model = dict(loss_weights=dict(edge=0.0, center=0.0))
