# Table 4, row 2: edges are added with a learned weight per channel; no PEF.
_base_ = 'mso-cmcc_sysu.py'
model = dict(fusion=dict(type='WeightedEdgeFusion'))
