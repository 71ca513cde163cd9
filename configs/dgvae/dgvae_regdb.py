_base_ = [
    '../_base_/models/dgvae_resnet50.py',
    '../_base_/models/dgvae_variants.py',
    '../_base_/datasets/regdb.py',
    '../_base_/schedules/dgvae_250e.py',
]
model = dict(classifier=dict(num_ids=_base_.num_ids))
# 4 identities x (4 visible + 4 infrared)
train_dataloader = dict(
    batch_size=32,
    batch_sampler=dict(num_ids=4),
    dataset=dict(pipeline=_base_.dgvae_train_pipeline),
)
test_dataloader = dict(batch_size=32, dataset=dict(pipeline=_base_.dgvae_test_pipeline))
