# Table 3, row 3: images are rebuilt, by four more transposed convolutions.
_base_ = 'dgvae_sysu.py'
_hidden = [(256, 2), (512, 2), (1024, 1), (512, 2), (256, 2), (128, 2)]
model = dict(reconstruct='image', decoder=dict(hidden=_hidden, last_stride=2))
