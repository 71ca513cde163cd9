# What cmGAN has in place of AGW's parts; a config puts it over the model of its AGW.
cmgan_parts = dict(
    type='CMGAN',
    backbone=dict(non_local=dict(_delete_=True)),
    neck=dict(pooling=dict(_delete_=True, type='AveragePooling')),
    discriminator=dict(type='ModalityDiscriminator', hidden_channels=256),
    triplet_loss=dict(_delete_=True, type='CrossModalityTripletLoss', margin=0.1),
    adversarial_loss=dict(type='AdversarialLoss'),
    loss_weights=dict(identity=1.0, triplet=1.0, adversarial=0.01, modality=1.0),
)
custom_imports = dict(imports=['projects.cmgan.cmgan'])
generator = ['backbone', 'neck', 'head']
