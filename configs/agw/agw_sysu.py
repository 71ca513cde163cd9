_base_ = [
    '../_base_/models/agw_resnet50.py',
    '../_base_/datasets/sysu_mm01.py',
    '../_base_/schedules/agw_sgd_81e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = dict(batch_sampler=dict(replace=True))  # as released
