# Table 4, Basel.: real images of both modalities, identity and triplet losses.
_base_ = 'aligngan-featalign_sysu.py'
model = _base_._variants.baseline.model
_base_.default_hooks.stage.stages[1:] = [_base_._variants.baseline.joint_stage]
del _base_.optim_wrapper.feature_discriminator, _base_.default_hooks.watchdog
