# LLCM; its own AGW copy adds random erasing to AGW's augmentation.
_base_ = 'real.py'
num_ids = _base_._llcm.num_ids
train_dataloader = dict(
    dataset=dict(
        **_base_._llcm.train,
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(type='RandomErasing', prob=0.5, area_range=(0.02, 0.4)),
            dict(type='PackReIDInputs'),
        ],
    )
)
test_dataloader = dict(dataset=dict(**_base_._llcm_data, split='test'))
test_evaluator = dict(type='LLCMMetric')
