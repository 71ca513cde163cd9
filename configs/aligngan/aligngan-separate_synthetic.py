# Table 4, AlignGAN-: infrared images and feature maps are judged by a discriminator each.
_base_ = ['aligngan_synthetic.py', '../_base_/models/aligngan_separate.py']
# one layer: a second would leave 2 x 1 positions, whose InstanceNorm is NaN in bf16 on a CPU
model = dict(
    _base_.separate_model,
    feature_discriminator=dict(_base_.separate_model.feature_discriminator, num_layers=1),
)
optim_wrapper = dict(
    {name: entry for name, entry in _base_.optim_wrapper.items() if name != 'joint_discriminator'},
    _delete_=True,
    **{
        name: dict(_base_.optim_wrapper.joint_discriminator, modules=[name])
        for name in _base_.separate_discriminators
    },
)
stages = [*_base_.stages[:2], dict(_base_.stages[2], updates=_base_.separate_updates)]
default_hooks = dict(stage=dict(stages=stages))
