_base_ = [
    '../_base_/models/hicmd_resnet50.py',
    '../_base_/datasets/regdb.py',
    '../_base_/schedules/hicmd_200e.py',
]
model = dict(feature_module=dict(head=dict(num_ids=_base_.num_ids)))
train_dataloader = dict(**_base_.hicmd_batches, dataset=dict(pipeline=_base_.hicmd_train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.hicmd_test_pipeline))
# 100,000 iterations, rates halved every 25,000
train_cfg = dict(max_epochs=100)
param_scheduler = dict(step_size=25, end=100)
