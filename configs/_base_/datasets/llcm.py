# LLCM; its own AGW copy adds random erasing to AGW's augmentation.
_base_ = 'loading.py'
num_ids = 713
_data = dict(type='LLCM', data_root='data/llcm')
train_dataloader = dict(
    dataset=dict(
        **_data,
        split='train',
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(type='RandomErasing', prob=0.5, area_range=(0.02, 0.4)),
            dict(type='PackReIDInputs'),
        ],
    )
)
test_dataloader = dict(dataset=dict(**_data, split='test'))
test_evaluator = dict(type='LLCMMetric')
