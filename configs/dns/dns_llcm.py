_base_ = ['../_base_/methods/dns.py', '../_base_/datasets/llcm.py']
_views = dict(_base_._dns_views.llcm, _delete_=True)
model = dict(head=dict(num_ids=_base_.num_ids), data_preprocessor=dict(views=_views))
train_dataloader = dict(_base_.loading.train, dataset=dict(pipeline=_base_.test_pipeline))
