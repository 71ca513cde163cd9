# HPILN's loss on one stream.
_base_ = ['../streams/onestream-triplet_sysu.py', '../_base_/models/hpiln_parts.py']
model = _base_._hpiln
