# cmGAN on SYSU-MM01 with AGW's batches and schedule; Adam for the discriminator.
_base_ = ['../../../configs/agw/agw_sysu.py', '_base_/cmgan_parts.py']
model = _base_.cmgan_parts
optim_wrapper = dict(
    _delete_=True,
    constructor='AlternatingOptimWrapperConstructor',
    generator=dict(modules=_base_.generator, **_base_.optim_wrapper),
    discriminator=dict(
        modules=['discriminator'], optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))
    ),
)
model_wrapper_cfg = dict(type='mmvireid.ReIDSeparateDistributedDataParallel')
