# For choosing settings: 30 training identities are held out and validated on every 10 epochs.
# Figures of such a run are not comparable with those of all 395 identities.
_base_ = 'agw_sysu.py'
_heldout = dict(num_heldout_ids=30)
train_dataloader = dict(dataset=_heldout)
val_dataloader = dict(
    _base_.test_dataloader,
    dataset=dict(_base_.test_dataloader.dataset, split='trainval', heldout=True, **_heldout),
)
val_evaluator = dict(type='SYSUMetric', shots=[1])
val_cfg = dict()
train_cfg = dict(val_interval=10)
model = dict(head=dict(num_ids=365))
