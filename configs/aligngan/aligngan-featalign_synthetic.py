# Table 4, FeatAlign: visible images are not translated, maps of both modalities are aligned.
_base_ = 'aligngan-separate_synthetic.py'
model = _base_.untranslated_model
_feature = _base_.train_dataloader.batch_sampler.blocks.feature
train_dataloader = dict(
    batch_size=2 * _feature.num_ids * _feature.num_instances,
    batch_sampler=dict(blocks=dict(_delete_=True, feature=_feature)),
)
_moved = ['constructor', 'reid', 'feature_discriminator']
optim_wrapper = dict(_delete_=True, **{key: _base_.optim_wrapper[key] for key in _moved})
stages = [_base_.stages[0], dict(name='C joint', updates=['reid', 'feature_discriminator'])]
default_hooks = {key: hook for key, hook in _base_.default_hooks.items() if key != 'generation'}
default_hooks.update(_delete_=True, stage=dict(type='StageHook', stages=stages))
_warmup, _steps = _base_.param_scheduler
param_scheduler = [_warmup, dict(_steps, milestones=[14], end=16)]
train_cfg = dict(max_epochs=16, val_interval=16)
