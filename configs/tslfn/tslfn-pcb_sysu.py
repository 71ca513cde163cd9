# PCB's parts on one stream, and its image size; the schedule is TSLFN's.
_base_ = ['tslfn_sysu.py', '../_base_/variants/tslfn.py']
model = _base_._variants.pcb.model
_load_image = dict(_base_.load_image, size=(384, 192))
_train, _test = _base_.train_dataloader.dataset, _base_.test_dataloader.dataset
train_dataloader = dict(dataset=dict(pipeline=[_load_image, *_train.pipeline[1:]]))
test_dataloader = dict(dataset=dict(pipeline=[_load_image, *_test.pipeline[1:]]))
