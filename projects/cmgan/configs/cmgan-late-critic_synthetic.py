# The discriminator rests in the first epoch, and has a schedule of its own that waits for it.
# Schedules are stepped while their optimiser rests: one for both would spend the
# discriminator's warm-up in the epoch in which it does not move.
_base_ = 'cmgan_synthetic.py'
_by_iter = dict(by_epoch=True, convert_to_iter_based=True)
param_scheduler = dict(
    _delete_=True,
    generator=_base_.param_scheduler,
    discriminator=[dict(type='LinearLR', start_factor=0.1, begin=1, end=2, **_by_iter)],
)
_alone = dict(name='alone', end=1, updates=['generator'], loss_weights=dict(adversarial=0.0))
default_hooks = dict(stage=dict(type='StageHook', stages=[_alone, dict(name='game')]))
