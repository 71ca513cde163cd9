# PMT: one ViT-B/16 with overlapping patches for both modalities, and the weights that the release
# starts from (ImageNet-21k, then 1k). `model.head.num_ids` comes with the data set.
_base_ = 'pmt_parts.py'
model = dict(
    _base_._pmt_terms,
    data_preprocessor=dict(views=_base_._pmt_views),
    backbone=dict(
        type='VisionTransformer',
        input_size=(256, 128),
        patch_size=16,
        stride=12,
        feature_size=768,
        num_blocks=12,
        num_heads=12,
        dropout=0.03,
        drop_path=0.1,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/rwightman/pytorch-image-models/releases/download/'
            'v0.1-vitjx/jx_vit_base_p16_224-80ecf9dd.pth',
        ),
    ),
    neck=dict(
        type='BNNeck',
        pooling=dict(type='ClassToken'),
        init_cfg=dict(type='Constant', layer='BatchNorm1d', val=1.0),
    ),
    head=dict(type='IdentityHead'),
    identity_loss=dict(type='IdentityLoss'),
)
