# PMT's terms and erased rectangles on AGW's network, batches and schedule.
_base_ = ['../agw/agw_sysu.py', '../_base_/models/pmt_parts.py']
model = _base_._agw_pmt
train_dataloader = _base_._agw_pmt_loader
