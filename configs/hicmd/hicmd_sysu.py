_base_ = [
    '../_base_/models/hicmd_resnet50.py',
    '../_base_/datasets/sysu_mm01.py',
    '../_base_/schedules/hicmd_200e.py',
]
model = dict(feature_module=dict(head=dict(num_ids=_base_.num_ids)))
train_dataloader = dict(**_base_.hicmd_batches, dataset=dict(pipeline=_base_.hicmd_train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.hicmd_test_pipeline))
