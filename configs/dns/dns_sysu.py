_base_ = ['../_base_/methods/dns.py', '../_base_/datasets/sysu_mm01.py']
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = dict(_base_.loading.train, dataset=dict(pipeline=_base_.test_pipeline))
