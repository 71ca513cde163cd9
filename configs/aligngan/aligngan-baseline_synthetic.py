# Table 4, Basel.: real images of both modalities, identity and triplet losses.
_base_ = 'aligngan-featalign_synthetic.py'
model = dict(feature_discriminator=None, loss_weights=_base_.unaligned_weights)
_moved = ['constructor', 'reid']
optim_wrapper = dict(_delete_=True, **{key: _base_.optim_wrapper[key] for key in _moved})
stages = [_base_.stages[0], dict(name='C joint', updates=['reid'])]
default_hooks = {key: hook for key, hook in _base_.default_hooks.items() if key != 'watchdog'}
default_hooks.update(_delete_=True, stage=dict(type='StageHook', stages=stages))
