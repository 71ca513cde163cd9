# PMT's terms, for any network of AGW's form.
_base_ = '../variants/pmt.py'  # and the augmentations
_pmt_terms = dict(
    type='PMT',
    triplet_loss=dict(type='BatchHardTripletLoss', margin=0.1),
    enhancement_loss=dict(type='ModalitySharedEnhancementLoss'),
    center_loss=dict(type='DiscriminativeCenterLoss'),
    # those of the second stage; the first one's stand in the table of stages
    loss_weights=dict(identity=1.0, modality_triplet=0.0, triplet=1.0, enhancement=0.5, center=0.5),
)
# What a config puts over AGW: these terms and erased rectangles, in one stage, and PMT's batches.
_agw_pmt = dict(
    _pmt_terms,
    triplet_loss=dict(_pmt_terms['triplet_loss'], _delete_=True),
    data_preprocessor=dict(common=[_base_._own.erasing_e]),
)
_agw_pmt_loader = dict(batch_sampler=dict(replace=False))
