# Table 4, FeatAlign: visible images are not translated, maps of both modalities are aligned.
_base_ = 'aligngan-separate_synthetic.py'
model = _base_._variants.featalign.model
_base_.optim_wrapper = {
    key: _base_.optim_wrapper[key] for key in _base_._variants.featalign.optimizers
}
_base_.default_hooks.stage.stages[1:] = [_base_._variants.featalign.joint_stage]
del _base_.default_hooks.generation, _base_.train_dataloader.batch_sampler.blocks.pixel
train_dataloader = dict(batch_size=32)
_warmup, _steps = _base_.param_scheduler
param_scheduler = [_warmup, dict(_steps, milestones=[14], end=16)]
train_cfg = dict(max_epochs=16, val_interval=16)
