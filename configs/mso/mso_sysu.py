_base_ = [
    '../_base_/models/mso_resnet50.py',
    '../_base_/datasets/sysu_mm01.py',
    '../_base_/schedules/mso_adam_100e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = dict(batch_sampler=dict(replace=True))  # as AGW
