# What all methods share in the benchmark's column "equal terms"; it is laid over their own
# `*_synthetic.py`. Everything else stays the method's: networks, terms, optimisers, rates, stages
# and schedules (as shares of the training), and which images a batch has.
_load_image = dict(type='LoadReIDImage', size=(128, 64))
# one augmentation, and no random erasing
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            _load_image,
            dict(type='RandomPadCrop', padding=6),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackReIDInputs'),
        ]
    )
)
test_dataloader = dict(dataset=dict(pipeline=[_load_image, dict(type='PackReIDInputs')]))
val_dataloader = test_dataloader
# one test rule: the cosine, without mirrored images or re-ranking
model = dict(flip_test=False, unit_features=True)
test_evaluator = dict(distance='cosine', rerank=False)
# These only where a model has them: views of CAJ have a crop and a flip of their own, and share
# those above instead. What else a method's views do to images (RLE's enhancements, CAJ's channels,
# erased rectangles) is the method.
where_present = {'model.erasing.p': 0.0, 'model.data_preprocessor.common': []}
# One budget: images in all batches together. An epoch gets as many batches as that makes, so that
# stages, warm-ups and decays keep their shares.
images_seen = 24000
