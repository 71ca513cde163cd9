# AGW on rendered data with two views of every visible image: as it is, and channel-exchanged.
_base_ = '../../../configs/agw/agw_synthetic.py'
custom_imports = dict(imports=['projects.channel_exchange.channel_exchange'])
train_dataloader = dict(
    collate_fn=dict(type='mmvireid.two_view_collate'),  # MMEngine looks it up: hence the scope
    dataset=dict(pipeline=[*_base_.train_pipeline, dict(type='ExchangedView')]),
)
