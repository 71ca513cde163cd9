# AlignGAN's stages without the pixel module: what the feature module gets in A and C.
_base_ = 'aligngan_250e.py'
stages = [_base_.stages[0], dict(name='C joint', updates=['reid'])]
_moved = ['constructor', 'reid']
optim_wrapper = dict(_delete_=True, **{key: _base_.optim_wrapper[key] for key in _moved})
_watching = ['generation', 'watchdog']
default_hooks = {key: hook for key, hook in _base_.default_hooks.items() if key not in _watching}
default_hooks.update(_delete_=True, stage=dict(type='StageHook', stages=stages))
param_scheduler = dict(milestones=[100], end=150)
train_cfg = dict(max_epochs=150)
