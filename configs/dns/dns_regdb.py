# What the logs on RegDB have instead: half of the rate, a tenth of it for all of the backbone, and
# less done to the images.
_base_ = ['../_base_/methods/dns.py', '../_base_/datasets/regdb.py']
_views = dict(_base_._dns_views.regdb, _delete_=True)
model = dict(head=dict(num_ids=_base_.num_ids), data_preprocessor=dict(views=_views))
train_dataloader = dict(_base_.loading.train, dataset=dict(pipeline=_base_.test_pipeline))
_tenth = dict(lr_mult=0.1)
optim_wrapper = dict(
    optimizer=dict(lr=0.1), paramwise_cfg=dict(custom_keys=dict(layer3=_tenth, layer4=_tenth))
)
