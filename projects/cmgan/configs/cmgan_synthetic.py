# cmGAN on rendered data: network, batches and schedule are those of agw_synthetic.py.
_base_ = ['../../../configs/agw/agw_synthetic.py', '_base_/cmgan_parts.py']
model = _base_.cmgan_parts
optim_wrapper = dict(
    _delete_=True,
    constructor='AlternatingOptimWrapperConstructor',
    generator=dict(modules=_base_.generator, **_base_.optim_wrapper),
    discriminator=dict(
        modules=['discriminator'],
        type='AutocastOptimWrapper',
        optimizer=dict(type='Adam', lr=1e-3, betas=(0.5, 0.999)),
    ),
)
model_wrapper_cfg = dict(type='mmvireid.ReIDSeparateDistributedDataParallel')
