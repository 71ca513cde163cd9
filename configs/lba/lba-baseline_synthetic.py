# Its baseline: nothing is aligned.
_base_ = 'lba_synthetic.py'
model = dict(loss_weights=dict(aligned_identity=0.0, dense=0.0))
