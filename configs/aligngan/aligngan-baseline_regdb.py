# Table 3, Basel.: real images of both modalities, identity and triplet losses.
_base_ = ['aligngan_regdb.py', '../_base_/variants/aligngan.py']
model = _base_._variants.baseline.model
_base_.optim_wrapper = {
    key: _base_.optim_wrapper[key] for key in _base_._variants.baseline.optimizers
}
_base_.default_hooks.stage.stages[1:] = [_base_._variants.baseline.joint_stage]
del _base_.default_hooks.generation, _base_.default_hooks.watchdog
del _base_.train_dataloader.batch_sampler.blocks.pixel
train_dataloader = _base_._variants.baseline.train_dataloader
param_scheduler = _base_._variants.baseline.param_scheduler
train_cfg = _base_._variants.baseline.train_cfg
