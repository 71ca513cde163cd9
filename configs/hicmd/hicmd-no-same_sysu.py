# Fig. 4: images are not decoded from their own codes.
_base_ = 'hicmd_sysu.py'
model = dict(loss_weights=dict(same=0.0))
