_base_ = ['../_base_/methods/dgvae.py', '../_base_/datasets/regdb.py']
model = dict(classifier=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
