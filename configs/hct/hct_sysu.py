# 6 identities x (8 + 8) images; pooling, weights and labels as in hct_parts.py.
_base_ = ['../_base_/methods/hct.py', '../_base_/datasets/sysu_mm01.py']
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = dict(
    batch_size=96,
    batch_sampler=dict(_base_.loading.train.batch_sampler, num_ids=6, num_instances=8),
)
