# PMT's schedule: AdamW, patches and blocks at half the rate, a cosine with a floor of 3e-6 and 3
# epochs of warm-up from it, 24 epochs, of which the first 6 see grey images.
_base_ = '../default_runtime.py'
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=3e-4, weight_decay=1e-4),
    paramwise_cfg=dict(
        custom_keys={
            'backbone.patch_embed': dict(lr_mult=0.5),
            'backbone.blocks': dict(lr_mult=0.5),
        }
    ),
)
param_scheduler = [dict(type='WarmupCosineLR', floor=3e-6, warmup=3, end=24)]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=24)
_later = ['triplet', 'enhancement', 'center']
_stages = [
    dict(
        name='1 grey',
        end=6,
        views=['grey', 'infrared'],
        loss_weights=dict(dict.fromkeys(_later, 0.0), modality_triplet=1.0),
    ),
    dict(name='2 colour', views=['visible', 'infrared']),
]
default_hooks = dict(stage=dict(type='StageHook', stages=_stages))
