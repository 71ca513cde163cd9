# Table 4, AlignGAN-: infrared images and feature maps are judged by a discriminator each.
_base_ = ['aligngan_sysu.py', '../_base_/variants/aligngan.py']
model = _base_._variants.separate.model
_base_.default_hooks.stage.stages[2].update(_base_._variants.separate.joint_stage)
_joint = _base_.optim_wrapper.joint_discriminator
optim_wrapper = {name: dict(_joint, modules=[name]) for name in _base_._variants.separate.judges}
del _base_.optim_wrapper.joint_discriminator
