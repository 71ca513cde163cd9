# HSME's head on two streams, without its verification term and decorrelation.
_base_ = ['../streams/twostream_sysu.py', '../_base_/models/hsme_parts.py']
model = _base_._hsme
