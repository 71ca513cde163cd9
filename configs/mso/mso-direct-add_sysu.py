# Table 4, row 1: edges are added to every channel of the stem maps; no PEF.
_base_ = 'mso-cmcc_sysu.py'
model = dict(fusion=dict(type='DirectEdgeFusion'))
