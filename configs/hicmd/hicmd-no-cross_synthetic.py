# Fig. 4: fakes are not compared with real images.
_base_ = 'hicmd_synthetic.py'
model = dict(loss_weights=dict(cross=0.0))
