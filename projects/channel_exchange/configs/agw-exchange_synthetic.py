# AGW on rendered data with two views of every visible image: as it is, and with exchanged channels.
_base_ = '../../../configs/agw/agw_synthetic.py'
custom_imports = dict(imports=['projects.channel_exchange.channel_exchange'])
_exchanged = dict(type='ChannelPermutationAugmentation')
model = dict(
    data_preprocessor=dict(
        views=dict(visible={}, exchanged=dict(modality='visible', augmentations=[_exchanged]))
    )
)
