"""Configs of the classics against their papers and releases.

HCT, TSLFN+HC, BDTR, the controls, HSME's head and expAT are configs of networks and losses that
others use too, CAJ and RLE are above all what is done to images: what is theirs are figures, and
how terms are put together.
"""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.benchmark import Cell, final_config
from mmvireid.engine.runner import forget_weights
from mmvireid.models.augmentations import SPACES
from mmvireid.models.backbones import TwoStreamResNet
from mmvireid.registry import MODELS, TRANSFORMS

ROOT = Path(__file__).parents[1] / 'configs'
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 2)


def load(config):
    return Config.fromfile(ROOT / config, format_python_code=False)


def small(config, **backbone):
    """The model of a config on a ResNet-18 that ends with layer2, for three identities."""
    cfg = load(config).model
    cfg.backbone.update(dict(depth=18, num_stages=2, init_cfg=None) | backbone)
    cfg.head.num_ids = 3
    torch.manual_seed(0)
    return MODELS.build(cfg)


def count(config, **values):
    """Parameters of a config, some keys of the backbone changed."""
    cfg = load(config).model
    forget_weights(cfg)
    cfg.backbone.update(values)
    with torch.device('meta'):
        return sum(parameter.numel() for parameter in MODELS.build(cfg).parameters())


RESNET, STEM, LAYER1 = 23_508_032, 9_408 + 128, 215_808
PARAMETERS = [
    ('hct/hct_sysu.py', {}, 27_492_802),  # as are the next three, counted in the release
    ('hct/hct_regdb.py', {}, 27_201_364),
    ('hct/hct_sysu.py', dict(split='stem'), 27_276_994),
    ('hct/hct_sysu.py', dict(split='layer2'), 28_712_386),
    # two ResNets; per stripe a reduction with its BatchNorm and a classifier, both with biases
    ('tslfn/tslfn_sysu.py', {},
     2 * RESNET + 6 * (2048 * 512 + 3 * 512) + 6 * (512 * 395 + 395)),
    ('tslfn/tslfn-pcb_sysu.py', {}, RESNET + 6 * (2048 * 256 + 3 * 256) + 6 * (256 * 395 + 395)),
    # what only a neck and a classifier follow
    ('streams/onestream_sysu.py', {}, RESNET + 2 * 2048 + 2048 * 395),
    ('streams/zeropadding_sysu.py', {}, RESNET + 9_408 + 2 * 2048 + 2048 * 395),
    ('streams/twostream_sysu.py', {}, RESNET + STEM + 2 * 2048 + 2048 * 395),
    ('streams/twostream_sysu.py', dict(split='layer4'), 2 * RESNET + 2 * 2048 + 2048 * 395),
    ('hsme/hsme_sysu.py', {}, RESNET + STEM + 2 * 2048 + 2048 * 395),
    ('expat/expat_sysu.py', {}, RESNET + 4 * 2048 + 2048 * 296),
    ('bdtr/bdtr_sysu.py', {}, 2 * RESNET + (2048 * 512 + 3 * 512) + (512 * 395 + 395)),
    ('bdtr/bdtr_regdb.py', {}, 2 * RESNET + (2048 * 512 + 3 * 512) + (512 * 206 + 206)),
    ('xiv/xiv_sysu.py', {}, RESNET + 2 * 2048 + 2048 * 395 + 10),  # in the generator
    ('hat/hat_sysu.py', {}, RESNET + 2 * 2048 + 2048 * 395),
    # counted in the release, without the BN-neck's fixed shift
    ('deen/deen_sysu.py', {}, 42_035_744 + 2048),
    ('deen/deen_llcm.py', {}, 42_687_008 + 2048),
    ('deen/deen_regdb.py', {}, 13_093_152 + 1024),
    ('mscmnet/mscmnet_sysu.py', {}, 42_855_488),  # the same, with it
]  # fmt: skip


@pytest.mark.parametrize(('config', 'values', 'number'), PARAMETERS)
def test_parameters(config, values, number):
    assert count(config, **values) == number


#: Rate of the classifiers by epoch, the backbone's factor, epochs in all.
SCHEDULES = {
    'hct/hct_sysu.py': (
        {0: 0.01, 1: 0.02, 9: 0.1, 10: 0.1, 19: 0.1, 20: 0.01, 49: 0.01, 50: 0.001, 60: 0.001},
        0.1, 61,
    ),
    'tslfn/tslfn_sysu.py': ({0: 0.01, 29: 0.01, 30: 0.001, 59: 0.001}, 0.1, 60),
    'streams/onestream_sysu.py': ({0: 0.01, 9: 0.1, 20: 0.01, 50: 0.001, 80: 0.001}, 0.1, 81),
    'bdtr/bdtr_sysu.py': ({0: 0.01, 29: 0.01, 30: 0.001, 60: 0.001}, 0.1, 61),
    'xiv/xiv_sysu.py': (
        {0: 3.5e-6, 5: 0.505 * 3.5e-4, 9: 0.901 * 3.5e-4, 10: 3.5e-4, 39: 3.5e-4, 40: 3.5e-5,
         69: 3.5e-5, 70: 3.5e-6, 119: 3.5e-6},
        1, 120,
    ),
    'hat/hat_sysu.py': ({0: 0.01, 9: 0.1, 20: 0.01, 50: 0.001, 80: 0.001}, 0.1, 81),
    'expat/expat_sysu.py': ({0: 3e-4, 9: 3e-4, 10: 3e-5, 19: 3e-5, 20: 3e-6, 29: 3e-6}, 1, 30),
}  # fmt: skip


@pytest.mark.parametrize('config', SCHEDULES)
def test_rates(config, rate_table):
    rates, factor, epochs = SCHEDULES[config]
    table = rate_table(config)
    assert len(table) == epochs
    for epoch, rate in rates.items():
        for name, group in table[epoch].items():
            factors = [factor] * name.startswith('backbone.')
            factors += [2] * (config.startswith('expat') and name.endswith('bias'))
            expected = rate * torch.tensor([1.0, *factors]).prod().item()
            assert group['lr'] == pytest.approx(expected, rel=1e-5), (epoch, name)
            assert group['weight_decay'] == 5e-4, name
    adam = config.startswith(('xiv', 'expat'))
    assert load(config).optim_wrapper.optimizer.type == ('Adam' if adam else 'SGD')
    moments = dict(betas=(0.9, 0.999)) if adam else dict(momentum=0.9, nesterov=True)
    for name, group in table[0].items():
        assert moments.items() <= group.items(), name


#: What the pipeline does to training images, if it is not a crop and a flip.
PIPELINES = dict(
    caj=[],  # its views crop and flip
    tslfn=['RandomFlip'],
    expat=['RandomPadCrop', 'RandomFlip', 'RandomErasing'],
)


@pytest.mark.parametrize(
    ('config', 'size', 'num_ids', 'num_instances'),
    [
        ('caj/caj_sysu.py', (288, 144), 8, 4),
        ('caj/caj_regdb.py', (288, 144), 8, 4),
        ('caj/caj_llcm.py', (288, 144), 8, 4),
        ('rle/rle_sysu.py', (384, 192), 6, 4),
        ('rle/rle_regdb.py', (384, 192), 6, 4),
        ('rle/rle_llcm.py', (384, 192), 6, 4),
        ('hct/hct_sysu.py', (288, 144), 6, 8),
        ('hct/hct_regdb.py', (288, 144), 8, 4),
        ('tslfn/tslfn_sysu.py', (288, 144), 4, 8),
        ('tslfn/tslfn-pcb_sysu.py', (384, 192), 4, 8),
        ('streams/zeropadding_sysu.py', (288, 144), 8, 4),
        ('hpiln/hpiln_sysu.py', (288, 144), 8, 4),
        ('expat/expat_sysu.py', (384, 128), 8, 3),
        ('bdtr/bdtr_regdb.py', (288, 144), 32, 1),
        ('xiv/xiv_regdb.py', (256, 128), 12, 4),
        ('hat/hat_regdb.py', (288, 144), 8, 4),
    ],
)
def test_images_and_batches(config, size, num_ids, num_instances):
    cfg = load(config)
    loaders = [cfg.train_dataloader, cfg.test_dataloader]
    assert [tuple(loader.dataset.pipeline[0].size) for loader in loaders] == [size] * 2
    sampler = cfg.train_dataloader.batch_sampler
    assert (sampler.num_ids, sampler.num_instances) == (num_ids, num_instances)
    assert cfg.train_dataloader.batch_size == 2 * num_ids * num_instances
    _, *steps, _ = cfg.train_dataloader.dataset.pipeline
    common = ['RandomPadCrop', 'RandomFlip']
    assert [step.type for step in steps] == PIPELINES.get(config.partition('/')[0], common)
    for step in map(TRANSFORMS.build, steps):
        assert getattr(step, 'padding', 10) == 10 and getattr(step, 'prob', 0.5) == 0.5


@pytest.mark.parametrize(
    ('config', 'size'),
    [
        ('caj/caj_sysu.py', (2048, 18, 9)),
        ('hct/hct_sysu.py', (2048, 18, 9)),
        ('rle/rle_sysu.py', (2048, 24, 12)),
        ('rle/rle_regdb.py', (1024, 24, 12)),
        ('rle/rle_llcm.py', (2048, 24, 12)),
        ('tslfn/tslfn_sysu.py', (2048, 18, 9)),
        ('tslfn/tslfn-pcb_sysu.py', (2048, 24, 12)),
        ('streams/onestream_sysu.py', (2048, 18, 9)),
        ('bdtr/bdtr_sysu.py', (2048, 9, 5)),  # the one whose last stride is 2
        ('xiv/xiv_sysu.py', (2048, 16, 8)),
        ('hat/hat_sysu.py', (2048, 18, 9)),
        ('expat/expat_sysu.py', (2048, 24, 8)),
    ],
)
def test_feature_maps(config, size, no_initial_values):
    cfg = load(config)
    forget_weights(cfg.model)
    with torch.device('meta'):
        image = torch.empty(2, 3, *cfg.test_dataloader.dataset.pipeline[0].size)
        maps = MODELS.build(cfg.model.backbone)(dict(visible=image, infrared=image))
    assert maps.shape == (4, *size)


@pytest.mark.parametrize(
    ('config', 'replace'),
    [
        ('caj/caj_sysu.py', True),  # as AGW, like the next two
        ('hct/hct_regdb.py', True),
        ('streams/onestream_sysu.py', True),
        ('tslfn/tslfn_sysu.py', False),
    ],
)
def test_images_of_an_identity_are_drawn_as_released(config, replace):
    assert load(config).train_dataloader.batch_sampler.get('replace', False) == replace


RLES = [f'rle/rle_{data}.py' for data in ('sysu', 'regdb', 'llcm')]
CAJS = [f'caj/caj_{data}.py' for data in ('sysu', 'regdb', 'llcm')]
PLUS = [f'caj/caj-plus_{data}.py' for data in ('sysu', 'regdb')]


@pytest.mark.parametrize(
    ('config', 'flips'),
    [
        *((config, True) for config in (*CAJS, *PLUS, *RLES, 'rle/rle-base_sysu.py')),
        *((config, False) for config in ('hct/hct_sysu.py', 'hct/hct_regdb.py')),
    ],
)
def test_mirrored_images_count_where_they_do_in_the_release(config, flips):
    assert load(config).model.get('flip_test', False) == flips


#: Areas, heights / widths, how these are drawn, and how often.
RECTANGLES = ((0.02, 0.4), (0.3, 1 / 0.3), 'uniform', 100)
CROP, FLIP, GREY = ('PadCrop', 1, 10, 0), ('Flip', 0.5), ('Grey', 0.5)
ERASING_A = ('Erasing', 0.5, 'normalized', (0.4914, 0.4822, 0.4465), RECTANGLES)
ERASING_B = ('Erasing', 0.5, 'raw', (0.4914, 0.4822, 0.4465), RECTANGLES)
ERASING_XIV = ('Erasing', 0.5, 'normalized', (0.485, 0.456, 0.406), RECTANGLES)
EXCHANGE = ('ChannelCopy', 1, 'normalized', (0, 1, 2), None)
ADAPTIVE_GREY = ('ChannelCopy', 1, 'normalized', (0, 1, 2), 0.5)
# the paper has these two by name only: choices
CHANNEL, CHANNEL_OR_GREY = (('ChannelCopy', 0.5, 'raw', (0, 1, 2), grey) for grey in (None, 1))
MRLE = ('ModerateEnhancement', 0.5, 0.3)
RRLE = ('RadicalEnhancement', 0.5, 0.4, 0.1, RECTANGLES)


def both(*steps):
    return dict(visible=[*steps], infrared=[*steps])


def caj(*common, infrared=(ADAPTIVE_GREY,)):
    """Rectangles are erased before channels are copied, so the rectangle's colour is one, too."""
    erased = [*common, ERASING_A]
    return dict(visible=erased, exchanged=[*erased, EXCHANGE], infrared=[*erased, *infrared])


def caj_plus():
    more = ('Erasing', 0.6, *ERASING_A[2:])
    return dict(
        # grey is drawn first in the release; crop and flip leave it as it is, black is grey
        visible=[CROP, FLIP, ('Grey', 0.1), more],
        exchanged=[CROP, FLIP, more, EXCHANGE],
        infrared=[CROP, FLIP, ERASING_A, (*ADAPTIVE_GREY[:-1], 0.6)],
    )


#: What each view of the drawn images went through, behind the pipeline, in order.
VIEWS = {
    'caj/caj-plain_sysu.py': both(CROP, FLIP),
    'caj/caj-erasing_sysu.py': both(CROP, FLIP, ERASING_A),
    'caj/caj-exchange_sysu.py': caj(CROP, FLIP, infrared=()),
    **dict.fromkeys((*CAJS, 'caj/caj-wrt_sysu.py', 'caj/caj-plus_regdb.py'), caj(CROP, FLIP)),
    'caj/caj-plus_sysu.py': caj_plus(),
    'rle/rle-base_sysu.py': both(),
    'rle/rle-grey_sysu.py': both(GREY),
    'rle/rle-channel_sysu.py': both(CHANNEL),
    'rle/rle-channel-grey_sysu.py': both(CHANNEL_OR_GREY),
    'rle/rle-mrle_sysu.py': both(MRLE),
    'rle/rle-erasing_sysu.py': both(ERASING_B),
    'rle/rle-rrle_sysu.py': both(RRLE),
    'rle/rle-rrle-erasing_sysu.py': both(RRLE, ERASING_B),
    'rle/rle-caj_sysu.py': caj(),
    'rle/rle_sysu.py': both(MRLE, RRLE, ERASING_B),
    'rle/rle-agw_sysu.py': both(MRLE, RRLE, ERASING_B),
    'rle/rle-mso_sysu.py': both(MRLE, RRLE, ERASING_B),
    **dict.fromkeys(RLES[1:], both(GREY, MRLE, RRLE, ERASING_B)),
    **dict.fromkeys(('xiv/xiv_sysu.py', 'xiv/xiv_regdb.py'), both(ERASING_XIV)),
    'hat/hat_sysu.py': dict(visible=[], grey=[('Grey', 1)], infrared=[]),
}
#: Figures of an augmentation beside its probability.
FIGURES = dict(
    PadCrop=lambda step: (step.padding, step.fill),
    ChannelCopy=lambda step: (step.space, step.channels, step.grey),
    Erasing=lambda step: (
        step.space,
        tuple(round(value, 6) for value in step.fill.flatten().tolist()),
        step.rectangles,
    ),
    ModerateEnhancement=lambda step: (step.law.concentration0.item(),),
    RadicalEnhancement=lambda step: (
        step.law.concentration0.item(), step.least, step.rectangles,
    ),
)  # fmt: skip


def described(step):
    kind = type(step).__name__.removesuffix('Augmentation')
    return (kind, step.prob, *FIGURES.get(kind, lambda step: ())(step))


@pytest.mark.parametrize('config', VIEWS)
def test_what_is_done_to_the_images(config):
    views = MODELS.build(
        dict(load(config).model.data_preprocessor, type='ReIDDataPreprocessor')
    ).views
    seen = {
        view.name: [described(step) for space in SPACES for step in view.steps[space]]
        for view in (*views['visible'], *views['infrared'])
    }
    assert [view.name for view in views['infrared']] == ['infrared']
    assert seen == VIEWS[config]


BATCH_HARD = dict(type='BatchHardTripletLoss', margin=0.3, normalize=False)
PLAIN, SMOOTHED = (dict(type='IdentityLoss', label_smoothing=value) for value in (0.0, 0.1))
SQUARED = dict(type='SquaredDifferenceTripletLoss', eps_mode='released')
WHOLE_AND_MEAN = dict(identity=1 / 3, triplet=1 / 3, whole_identity=1, whole_triplet=1)
PAIRED = dict(type='PairedCenterTripletLoss', margin=0.5, distance='euclidean')
ROUND = dict(type='TriDirectionalRankingLoss', margin=0.3, weighted=True, form='proper')
ANGLES = dict(type='ExpAngleTripletLoss', margin=1.0, mining='random')
ACROSS = dict(type='CrossModalityTripletLoss', margin=0.3, normalize=False)


@pytest.mark.parametrize(
    ('configs', 'weights', 'losses'),
    [
        (CAJS, dict(identity=1, triplet=1), dict(identity=PLAIN, triplet=SQUARED)),
        (
            PLUS,
            dict(identity=1, triplet=1, soft_identity=1),
            dict(identity=PLAIN, triplet=SQUARED, soft_identity=dict(type='SoftIdentityLoss')),
        ),
        (RLES, WHOLE_AND_MEAN, dict(identity=PLAIN, triplet=BATCH_HARD)),
        (
            ['xiv/xiv_sysu.py', 'xiv/xiv_regdb.py'],
            dict(identity=1, triplet=1, center=0.2),  # 0.1 for either order of a pair
            dict(identity=SMOOTHED, triplet=BATCH_HARD, center=PAIRED),
        ),
        (
            ['hat/hat_sysu.py', 'hat/hat_regdb.py'],
            dict(identity=1, triplet=1, invariance=1),
            dict(identity=PLAIN, triplet=ROUND),
        ),
        (['expat/expat_sysu.py'], dict(identity=1, angle=1), dict(identity=SMOOTHED, angle=ANGLES)),
        (
            ['hpiln/hpiln_sysu.py'],
            dict(identity=1, triplet=1, cross_triplet=1),
            dict(identity=PLAIN, triplet=BATCH_HARD, cross_triplet=ACROSS),
        ),
        (
            [f'streams/{row}_sysu.py' for row in ('onestream', 'twostream', 'zeropadding')],
            dict(identity=1, triplet=0),
            dict(identity=PLAIN),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else '',
)
def test_terms_have_the_weights_and_figures_of_the_sources(configs, weights, losses):
    for model in (load(config).model for config in configs):
        assert model.loss_weights.to_dict() == pytest.approx(weights)
        for name, expected in losses.items():
            loss = MODELS.build(model[f'{name}_loss'])
            found = {key: getattr(loss, key) for key in expected if key != 'type'}
            assert dict(found, type=type(loss).__name__) == expected


def normalized(images):
    """uint8 BGR -> what the network gets."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406],
                                                         [0.229, 0.224, 0.225]))  # fmt: skip
    return (images.flip(1).float() / 255 - mean) / std


def update(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def one_stream(backbone, visible, infrared):
    return backbone.trunk(torch.cat([visible, infrared]))


def two_streams(backbone, visible, infrared):
    return torch.cat([backbone.stems['visible'](visible), backbone.stems['infrared'](infrared)])


def two_stems(backbone, visible, infrared):
    return backbone.trunk(two_streams(backbone, visible, infrared))


def center_triplet(x):
    """HCT of rows sorted by modality, then identity, two of each."""
    centers = x.view(6, 2, -1).mean(1)
    d = (centers[:, None] - centers[None]).square().sum(2).clamp(min=1e-12).sqrt()
    hinges = []
    for row in range(6):
        other = (row + 3) % 6  # the centre of the same identity
        negatives = [d[row, c] for c in range(6) if c not in (row, other)]
        hinges.append((0.3 + d[row, other] - min(negatives)).clamp(min=0))
    return sum(hinges) / 6


@pytest.mark.parametrize(('config', 'p', 'smoothing', 'weight'), [
    ('hct/hct_sysu.py', 3, 0.0, 1), ('hct/hct_regdb.py', 10, 0.1, 2),
])  # fmt: skip
def test_three_iterations_of_hct(config, p, smoothing, weight, training_batch, equals_handwritten):
    def handwritten_step(model, images, labels, optimizer):
        maps = two_stems(model.backbone, *normalized(images).chunk(2))
        assert maps.shape[2:] == (6, 4)
        loss, parts = 0, []
        for k, (part, head) in enumerate(zip(model.neck.parts, model.head.heads)):
            row = (maps[:, :, k : k + 1].pow(p).mean((2, 3), keepdim=True) + 1e-12).pow(1 / p)
            reduction = part.reduction
            row = F.conv2d(row, reduction.weight[:, :, None, None], reduction.bias)
            local = part.bn(row.flatten(1)).relu()
            logits = F.linear(local, head.classifier.weight, head.classifier.bias)
            loss = loss + F.cross_entropy(logits, labels, label_smoothing=smoothing)
            loss = loss + weight * center_triplet(local)
            parts.append(local)
        return update(optimizer, loss + center_triplet(torch.cat(parts, dim=1)))

    batch = training_batch(3, 2, size=(24, 16))
    equals_handwritten(small(config), batch, LABELS, handwritten_step)


@pytest.mark.parametrize(
    ('config', 'streams', 'channels', 'center_weight'),
    [
        ('tslfn/tslfn_sysu.py', two_streams, 512, 0.5),
        ('tslfn/tslfn-pcb_sysu.py', one_stream, 256, 0),
    ],
)
def test_three_iterations_of_tslfn_and_pcb(
    config, streams, channels, center_weight, training_batch, equals_handwritten
):
    def handwritten_step(model, images, labels, optimizer):
        maps = streams(model.backbone, *normalized(images).chunk(2))
        assert maps.shape[2:] == (7, 4)
        stripes = F.avg_pool2d(maps, (2, 4), stride=(1, 1))  # 7 - 5 x 1 rows, one below another
        loss = 0
        for k, (part, head) in enumerate(zip(model.neck.parts, model.head.heads)):
            row = F.linear(stripes[:, :, k, 0], part.reduction.weight, part.reduction.bias)
            assert row.shape == (12, channels)
            local = part.bn(row)
            bent = torch.where(local > 0, local, 0.1 * local)
            logits = F.linear(bent, head.classifier.weight, head.classifier.bias)
            centers = F.normalize(local).view(2, 3, 2, -1).mean(2)
            loss = loss + F.cross_entropy(logits, labels)
            loss = loss + center_weight * (centers[0] - centers[1]).square().sum()
        return update(optimizer, loss)

    model = small(config, **(dict(split='layer2') if streams is two_streams else {}))
    batch = training_batch(3, 2, size=(28, 16))
    equals_handwritten(model, batch, LABELS, handwritten_step)


def zero_padding(backbone, visible, infrared):
    """Channels for either modality, and zeros in those of the other one."""
    padded = torch.cat([F.pad(visible, (0,) * 5 + (3,)), F.pad(infrared, (0,) * 4 + (3, 0))])
    kernels = [backbone.stems[key].conv1.weight for key in ('visible', 'infrared')]
    return backbone.trunk(F.conv2d(padded, torch.cat(kernels, dim=1), stride=2, padding=3))


@pytest.mark.parametrize(
    ('config', 'network', 'grey'),
    [
        ('streams/onestream_sysu.py', one_stream, False),
        ('streams/onestream-grey_sysu.py', one_stream, True),
        ('streams/twostream_sysu.py', two_stems, False),
        ('streams/zeropadding_sysu.py', zero_padding, True),
        ('hsme/hsme_sysu.py', two_stems, False),
    ],
)
def test_three_iterations_of_classifiers_alone(
    config, network, grey, training_batch, equals_handwritten
):
    def handwritten_step(model, images, labels, optimizer):
        if grey:
            blue, green, red = images.float().unbind(1)
            images = torch.stack([0.299 * red + 0.587 * green + 0.114 * blue] * 3, dim=1)
        pooled = network(model.backbone, *normalized(images).chunk(2)).mean((2, 3))
        feature, weight = model.neck.bn(pooled), model.head.classifier.weight
        if config.startswith('hsme'):  # 14 times the cosines
            lengths = feature.norm(dim=1, keepdim=True) * weight.norm(dim=1)
            logits = 14 * (feature @ weight.T) / lengths
        else:
            logits = feature @ weight.T
        chances = logits.exp() / logits.exp().sum(1, keepdim=True)
        return update(optimizer, -chances[range(12), labels].log().mean())

    equals_handwritten(small(config), training_batch(3, 2), LABELS, handwritten_step)


@pytest.mark.parametrize(
    ('config', 'intra_weight'), [('bdtr/bdtr_sysu.py', 0.1), ('bdtr/bdtr-bctr_sysu.py', 0.0)]
)
def test_three_iterations_of_bdtr_and_bctr(
    config, intra_weight, training_batch, equals_handwritten
):
    def handwritten_step(model, images, labels, optimizer):
        maps = two_streams(model.backbone, *normalized(images).chunk(2))
        part, head = model.neck.parts[0], model.head.heads[0]
        pooled = maps.mean((2, 3))
        feature = part.bn(F.linear(pooled, part.reduction.weight, part.reduction.bias))
        bent = torch.where(feature > 0, feature, 0.1 * feature)
        logits = F.linear(bent, head.classifier.weight, head.classifier.bias)
        loss = F.cross_entropy(logits, labels)
        sides = (feature / feature.norm(dim=1, keepdim=True)).chunk(2)  # row k is identity k
        for own, other in (sides, sides[::-1]):
            for k in range(3):
                lengths = {j: (own[k] - other[j]).norm() for j in range(3)}
                nearest = min((j for j in range(3) if j != k), key=lengths.get)
                cross = 0.5 + lengths[k] - lengths[nearest]
                intra = 1.5 - (other[k] - other[nearest]).norm()
                loss = loss + (cross.clamp(min=0) + intra_weight * intra.clamp(min=0)) / 3
        return update(optimizer, loss)

    model = small(config, split='layer2')
    model.losses['center'].intra_margin = 1.5  # at 0.1 the second hinge is never met
    batch = training_batch(3, 1, size=(24, 16))
    equals_handwritten(model, batch, torch.tensor([0, 1, 2] * 2), handwritten_step)


@pytest.mark.parametrize(
    ('config', 'expected'),
    [('bdtr/bdtr_sysu.py', 0.0811645953436), ('bdtr/bdtr-bctr_sysu.py', 0.0)],
)
def test_bdtr_adds_a_tenth_of_a_hinge_that_is_never_met_as_released(config, expected, golden_batch):
    x, labels = (rows[::4] for rows in golden_batch(1))  # one of each identity and modality
    cfg = load(config).model.center_loss
    for intra_margin, more in ((0.1, 0.0), (1.5, expected)):
        loss = MODELS.build(dict(cfg, intra_margin=intra_margin))(x, labels, 8)
        assert loss.item() == pytest.approx(1.058178457700 + more, abs=1e-9)


@pytest.mark.parametrize(
    ('config', 'width', 'alike'),
    [('hct/hct_sysu.py', 256, False), ('tslfn/tslfn_sysu.py', 512, True)],
)
def test_stripes_in_a_row_are_the_feature(config, width, alike, training_batch):
    model = small(config, split='layer1').eval()
    inputs = model.data_preprocessor(training_batch(3, 2, size=(24, 16)))['inputs']
    feature = model.extract(inputs)
    assert feature.shape == (12, 6 * width)
    lengths = feature.view(12, 6, width).norm(dim=2)
    assert torch.allclose(lengths, torch.ones(12, 6)) == alike
    assert alike or (feature >= 0).all()  # behind a ReLU


def test_one_stream_does_not_ask_for_the_modality(training_batch):
    model = small('streams/onestream_sysu.py').eval()
    image = model.data_preprocessor(training_batch(3, 2))['inputs']['visible']
    assert torch.equal(model(dict(visible=image)), model(dict(infrared=image)))


@pytest.mark.parametrize('grey', [True, False])
def test_zero_padding_is_a_first_convolution_per_modality(grey):
    """Channels per modality and zeros in the others', against ``split='conv1'``, in training mode.

    Grey images with one channel per modality are the paper's; coloured ones have three each.
    """
    torch.manual_seed(0)
    net = TwoStreamResNet(18, split='conv1', num_stages=2).double()
    images = torch.randn(2, 3, 1 if grey else 3, 24, 16, dtype=torch.float64)
    inputs = dict(zip(('visible', 'infrared'), images.expand(-1, -1, 3, -1, -1)))
    kernels = [net.stems[key].conv1.weight for key in inputs]
    if grey:  # all three channels are one
        kernels = [kernel.sum(dim=1, keepdim=True) for kernel in kernels]
    nothing = torch.zeros_like(images[0])
    padded = torch.cat(
        [torch.cat([images[0], nothing], dim=1), torch.cat([nothing, images[1]], dim=1)]
    )
    shared = F.conv2d(padded, torch.cat(kernels, dim=1), stride=2, padding=3)
    torch.testing.assert_close(net(inputs), net.trunk(shared))


def test_zero_padding_and_grey_configs_see_no_colour(training_batch):
    for config in ('streams/zeropadding_sysu.py', 'streams/onestream-grey_sysu.py'):
        preprocessor = small(config).data_preprocessor
        batch = training_batch(3, 2)
        for training in (True, False):
            inputs = preprocessor(batch, training)['inputs']
            raw = torch.cat(list(inputs.values())) * preprocessor.std + preprocessor.mean
            torch.testing.assert_close(raw, raw[:, :1].expand(-1, 3, -1, -1), atol=1e-3, rtol=0)


def test_equal_terms_leave_the_input_grey(monkeypatch):
    monkeypatch.chdir(ROOT.parent)
    cfg = final_config(Cell('configs/streams/zeropadding_synthetic.py', 'equal'))
    assert cfg.model.data_preprocessor.grey


def test_hsme_classifies_by_angles(training_batch):
    model = small('hsme/hsme_sysu.py')
    feature = model.extract(model.data_preprocessor(training_batch(3, 2))['inputs'])
    weight = model.head.classifier.weight
    expected = 14 * torch.cosine_similarity(feature[:, None], weight[None], dim=2)
    torch.testing.assert_close(model.head(feature), expected)
    losses = model(**model.data_preprocessor(training_batch(3, 2)), mode='loss')
    assert set(losses) == {'loss_identity'}
