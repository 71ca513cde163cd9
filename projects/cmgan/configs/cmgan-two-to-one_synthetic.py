# Two updates of the discriminator for each of the generator.
_base_ = 'cmgan_synthetic.py'
_updates = ['discriminator', 'discriminator', 'generator']
default_hooks = dict(
    stage=dict(type='StageHook', stages=[dict(name='two to one', updates=_updates)])
)
