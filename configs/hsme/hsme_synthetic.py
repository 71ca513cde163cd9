# HSME's head on two streams, without its verification term and decorrelation. The scale is not
# SphereReID's 14, which ends at R1 26.27 here, not 43.39 (seed 0): see README.md.
_base_ = ['../streams/twostream_synthetic.py', '../_base_/models/hsme_parts.py']
model = dict(head=dict(_base_._hsme.head, scale=4.0))
