# What the release changes for RegDB: lower images, 12 identities x (5 + 5), of which a pass has 34
# batches, one step of the rate, and features that are compared as long as they are.
_base_ = ['../_base_/methods/mpanet.py', '../_base_/datasets/regdb.py']
model = dict(unit_features=False, head=dict(num_ids=_base_.num_ids))
_load_image, *_pack = _base_.loading.test.dataset.pipeline
_pipeline = [dict(_load_image, size=(256, 128)), *_pack]
_pairs = dict(_base_.loading.train.batch_sampler, num_ids=12, num_instances=5, num_batches=34)
train_dataloader = dict(batch_size=120, batch_sampler=_pairs, dataset=dict(pipeline=_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_pipeline))
param_scheduler = [dict(_base_.param_scheduler[0], milestones=[110])]
test_evaluator = dict(distance='euclidean')
