# Table 4, FeatAlign: visible images are not translated, maps of both modalities are aligned.
_base_ = 'aligngan-separate_sysu.py'
model = _base_._variants.featalign.model
_base_.optim_wrapper = {
    key: _base_.optim_wrapper[key] for key in _base_._variants.featalign.optimizers
}
_base_.default_hooks.stage.stages[1:] = [_base_._variants.featalign.joint_stage]
del _base_.default_hooks.generation, _base_.train_dataloader.batch_sampler.blocks.pixel
train_dataloader = _base_._variants.featalign.train_dataloader
param_scheduler = _base_._variants.featalign.param_scheduler
train_cfg = _base_._variants.featalign.train_cfg
