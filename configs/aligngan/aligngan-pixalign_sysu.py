# Table 4, PixAlign: nothing aligns features.
_base_ = 'aligngan_sysu.py'
model = dict(loss_weights=dict(feature_adversarial=0.0))
