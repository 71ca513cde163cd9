# Table 3, row 4: images are rebuilt, and a PatchGAN discriminator of 70 x 70 pixels judges them.
_base_ = 'dgvae-discriminator_sysu.py'
_hidden = [(256, 2), (512, 2), (1024, 1), (512, 2), (256, 2), (128, 2)]
model = dict(
    reconstruct='image',
    decoder=dict(hidden=_hidden, last_stride=2),
    discriminator=dict(base_channels=64, num_layers=3),
)
