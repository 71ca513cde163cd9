# Table 4, AlignGAN-: infrared images and feature maps are judged by a discriminator each.
_base_ = ['aligngan_synthetic.py', '../_base_/variants/aligngan.py']
model = _base_._variants.separate.model
# a second layer would leave 2 x 1 positions, whose InstanceNorm is NaN in bf16 on a CPU
model.feature_discriminator.num_layers = 1
_base_.default_hooks.stage.stages[2].update(_base_._variants.separate.joint_stage)
_joint = _base_.optim_wrapper.joint_discriminator
optim_wrapper = {name: dict(_joint, modules=[name]) for name in _base_._variants.separate.judges}
del _base_.optim_wrapper.joint_discriminator
