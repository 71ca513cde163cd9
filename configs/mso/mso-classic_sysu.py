# Table 4, row 5: edges are a third modality, fused with the image behind the pooling; no PEF.
_base_ = 'mso-cmcc_sysu.py'
model = dict(
    fusion=dict(
        type='EdgeStream',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='PairedBNNeck'),
)
