# Table 3, Basel.: real images of both modalities, identity and triplet losses.
_base_ = [
    '../_base_/models/aligngan_baseline.py',
    '../_base_/datasets/regdb.py',
    '../_base_/schedules/aligngan_baseline_150e.py',
]
model = dict(feature_module=dict(classifier=dict(num_ids=_base_.num_ids)))
train_dataloader = dict(
    **_base_.aligngan_batches, dataset=dict(pipeline=_base_.aligngan_train_pipeline)
)
test_dataloader = dict(dataset=dict(pipeline=_base_.aligngan_test_pipeline))
