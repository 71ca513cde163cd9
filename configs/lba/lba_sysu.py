_base_ = ['../_base_/methods/lba.py', '../_base_/datasets/sysu_mm01.py']
_load, _crop, *_others = _base_.train_pipeline
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = dict(_base_.loading.train, dataset=dict(pipeline=[_load, *_others]))
