_base_ = ['../_base_/methods/streams.py', '../_base_/datasets/sysu_mm01.py']
model = dict(_base_._variants.twostream.model, head=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
