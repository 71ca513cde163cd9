# Everything as released: 2 pairs and 2 + 2 single images of others, the 296 identities of the
# official training split. The triplet term is the sum of two means, of what looks visible and of
# what looks infrared: twice the mean of both.
_base_ = 'hicmd_sysu.py'
num_ids = 296
model = dict(
    own_style=False,
    cycle='prototype',
    num_unpaired=2,
    feature_module=dict(mix=dict(form='free'), head=dict(num_ids=num_ids, embedding_size=1024)),
    losses=dict(triplet=dict(_delete_=True, type='RegularizedSimilarityTripletLoss', margin=0.5)),
    loss_weights=dict(triplet=2.0),
)
train_dataloader = dict(batch_size=12, batch_sampler=dict(num_ids=6), dataset=dict(split='train'))
optim_wrapper = dict(reid=dict(paramwise_cfg=dict(custom_keys=dict(mix=dict(lr_mult=0.01)))))
