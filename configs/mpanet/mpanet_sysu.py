# The galleries are the data set's own; elsewhere than here, they are
# `test_evaluator.rand_perm_file`.
_base_ = ['../_base_/methods/mpanet.py', '../_base_/datasets/sysu_mm01.py']
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
test_evaluator = dict(gallery='official', rand_perm_file='data/sysu_mm01/exp/rand_perm_cam.mat')
