# Trained as agw_synthetic.py, tested on other rendered people, before other cameras: RegDB's
# layout and protocol.
_base_ = 'agw_synthetic.py'
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SyntheticRegDB',
        data_root='data/synthetic_regdb',
        seed=1,  # makes the people
        split='test',
        cache='ram',
        pipeline=_base_.test_pipeline,
        trained_elsewhere=['synthetic_sysu'],
    )
)
test_evaluator = dict(_delete_=True, type='RegDBMetric')
