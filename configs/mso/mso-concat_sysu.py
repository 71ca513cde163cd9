# Table 4, row 3: edges are a 65th channel, a 1x1 convolution makes 64 of them; no PEF.
_base_ = 'mso-cmcc_sysu.py'
model = dict(fusion=dict(type='ConcatEdgeFusion'))
