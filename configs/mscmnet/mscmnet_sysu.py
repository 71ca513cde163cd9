_base_ = ['../_base_/methods/mscmnet.py', '../_base_/datasets/sysu_mm01.py']
model = dict(head=dict(num_ids=_base_.num_ids))
_sampler = dict(_base_.loading.train.batch_sampler, num_batches=927)  # one less than others have
train_dataloader = dict(_base_.loading.train, batch_sampler=_sampler)
test_dataloader = _base_.loading.test
