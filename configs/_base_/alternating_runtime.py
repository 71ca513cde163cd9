# Several optimisers that take turns: each update reaches a part of the model only.
_base_ = 'default_runtime.py'
model_wrapper_cfg = dict(
    _delete_=True,
    type='mmvireid.ReIDSeparateDistributedDataParallel',
    find_unused_parameters=True,
)
