"""What is known of released checkpoints: names, or networks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

#: What may stand before all names of a release: who saved the weights, or held the network.
WRAPPERS = r'(?:net\.|model\.)?'


@dataclass(frozen=True)
class Part:
    """A network of ours, or several that are alike.

    Args:
        ours: Its name; of several, in the order of the release.
        named: What the release's names must match, where more networks look like it.
        needed: Whether features need it; others stay as they are initialised where there is none.
        without: Pattern of what below its name does not belong to it.
    """

    ours: tuple[str, ...]
    named: str = ''
    needed: bool = True
    without: str | None = None


@dataclass(frozen=True)
class Release:
    """What is known of a release.

    Args:
        title: What its checkpoint is.
        config: Our config that takes the weights, below ``configs``.
        classifier: Our layer that has an output per identity; of several one.
        num_ids: The config's key of their number.
        names: Patterns of the beginnings of its names, behind :data:`WRAPPERS`, and ours for them;
            the rest is the same. What no pattern matches is dropped: weights that the release
            registers and never uses.
        idle: Pattern of names of ours that a file may lack, because features do not need them; they
            stay as they are initialised.
        parts: Or else its networks, of two with layers alike the larger one first.
    """

    title: str
    config: str
    classifier: str = 'head.classifier'
    num_ids: str = 'model.head.num_ids'
    names: Mapping[str, str] = field(default_factory=dict)
    idle: str | None = None
    parts: tuple[Part, ...] = ()


def _baseline(last_stage: int = 4) -> dict[str, str]:
    """Names of the Cross-Modal-Re-ID-baseline, on whose code others were built.

    It has three whole ResNets, of which parts are used.
    """
    return {
        r'visible_module\.visible\.(conv1|bn1)\.': r'backbone.stems.visible.\1.',
        r'thermal_module\.thermal\.(conv1|bn1)\.': r'backbone.stems.infrared.\1.',
        rf'base_resnet\.base\.(layer[1-{last_stage}])\.': r'backbone.trunk.\1.',
        r'bottleneck\.': 'neck.bn.',
        r'classifier\.': 'head.classifier.',
    }


_NON_LOCAL = {'2': {'0': 2, '1': 3}, '3': {'0': 3, '1': 4, '2': 5}}  # its index: behind our block
_NON_LOCAL_PARTS = {'g.0': 'g', 'theta': 'theta', 'phi': 'phi', 'W.0': 'out', 'W.1': 'bn'}
_NON_LOCAL_NAMES = {
    rf'NL_{layer}\.{index}\.{re.escape(part)}\.': (
        f'backbone.trunk.layer{layer}.non_local_{block}.{name}.'
    )
    for layer, blocks in _NON_LOCAL.items()
    for index, block in blocks.items()
    for part, name in _NON_LOCAL_PARTS.items()
}
AGW = Release(
    title='an AGW checkpoint of the Cross-Modal-Re-ID-baseline with `classifier.weight`',
    config='agw/agw_sysu.py',
    names=_baseline() | _NON_LOCAL_NAMES,
)
CAJ = replace(AGW, title='a CAJ checkpoint, with the names of AGW', config='caj/caj_sysu.py')
LBA = replace(
    AGW,
    title='an LbA checkpoint, with the names of AGW without non-local blocks',
    config='lba/lba_sysu.py',
    names=_baseline(),
)
# Of both modalities' ResNets the first stage too; a convolution of 1 x 1 where we have a matrix.
HCT = Release(
    title='an HCT checkpoint of six stripes',
    config='hct/hct_sysu.py',
    classifier='head.heads.0.classifier',
    names={
        r'visible_module\.visible\.(conv1|bn1|layer1)\.': r'backbone.stems.visible.\1.',
        r'thermal_module\.thermal\.(conv1|bn1|layer1)\.': r'backbone.stems.infrared.\1.',
        r'base_resnet\.base\.(layer[2-4])\.': r'backbone.trunk.\1.',
        r'local_conv_list\.(\d)\.0\.': r'neck.parts.\1.reduction.',
        r'local_conv_list\.(\d)\.1\.': r'neck.parts.\1.bn.',
        r'fc_list\.(\d)\.': r'head.heads.\1.classifier.',
    },
)
# One transformer by timm's names.
PMT = Release(
    title='a PMT checkpoint of one transformer, with `base.cls_token`',
    config='pmt/pmt_sysu.py',
    names={
        r'base\.': 'backbone.',
        r'bottleneck\.': 'neck.bn.',
        r'classifier\.': 'head.classifier.',
    },
)


def _deen(config: str, last_stage: int) -> Release:
    """DEEN; its expansion is the second plug-in before the last stage."""
    attention = _NON_LOCAL_PARTS | {'g': 'g'}
    aggregation = {
        rf'MFA([1-3])\.{theirs}\.{re.escape(part)}\.': (
            rf'backbone.plugins.layer\1.0.{ours}.{name}.'
        )
        for theirs, ours in dict(CNL='channels', PNL='positions').items()
        for part, name in attention.items()
    }
    expansion = {
        rf'DEE\.FC{branch + 1}{theirs}\.': (
            f'backbone.plugins.layer{last_stage - 1}.1.branches.{branch}.{ours}.'
        )
        for branch in range(2)
        for theirs, ours in {'': 'out', **{str(d + 1): f'dilated.{d}' for d in range(3)}}.items()
    }
    return Release(
        title='a DEEN checkpoint with `classifier.weight`, `MFA1` and `DEE`',
        config=config,
        names=_baseline(last_stage) | aggregation | expansion,
    )


DEEN = _deen('deen/deen_sysu.py', last_stage=4)
DEEN_REGDB = _deen('deen/deen_regdb.py', last_stage=3)

# Two stems for each modality, and attention blocks that own more than they use.
_ATTENTION = {
    'ATT_narrow': 'reduce',
    'ATT_broad': 'expand',
    'attn': 'attention',
    'ln_1': 'norm',
    'ln_2': 'norm_mixed',
    r'mlp\.(?:c_fc|0)': 'mlp.fc1',
    r'mlp\.(?:c_proj|2)': 'mlp.fc2',
}
MSCMNET = Release(
    title='an MSCMNet checkpoint with `classifier.weight`, `visible_moduleA` and `layerATT0`',
    config='mscmnet/mscmnet_sysu.py',
    names=_baseline()
    | {
        rf'{theirs}_module{second}\.{theirs}\.(conv1|bn1)\.': (
            rf'backbone.stems.{ours}.{index}.\1.'
        )
        for theirs, ours in dict(visible='visible', thermal='infrared').items()
        for index, second in enumerate(('', 'A'))
    }
    | _NON_LOCAL_NAMES
    | {
        rf'layerATT([0-3])\.{theirs}\.': rf'backbone.plugins.layer3.0.levels.\1.{ours}.'
        for theirs, ours in _ATTENTION.items()
    }
    | {
        r'layerATT([0-2])\.ln_1o\.': r'backbone.plugins.layer3.0.levels.\1.norm_other.',
        r'layerATT([01])\.ATT_narrow1\.': r'backbone.plugins.layer3.0.levels.\1.other.',
        r'layerATT(2)\.ATT_narrow2\.': r'backbone.plugins.layer3.0.levels.\1.other.',
    },
)

# One ResNet; the averaged classifiers have an underscore behind their name.
MPANET = Release(
    title='a state dict of MPANet with `classifier.weight` and `spatial_attention.weight`',
    config='mpanet/mpanet_sysu.py',
    names={
        r'backbone\.(conv1|bn1|layer[1-4])\.': r'backbone.trunk.\1.',
        r'backbone\.MAM([34])\.': r'backbone.plugins.layer\1.0.',
        r'spatial_attention\.': 'neck.masks.',
        r'bn_neck\.': 'neck.bn.',
        r'classifier\.': 'head.classifier.',
        r'(visible|infrared)_classifier\.': r'modality_heads.students.\1.classifier.',
        r'(visible|infrared)_classifier_\.': r'modality_heads.teachers.\1.classifier.',
    },
    idle=r'modality_heads\.',
)

# Words that stand for one of two modalities in a name of a network.
_VISIBLE = r'(?i)(?:^|[._])(?:a|1|vis\w*|rgb)(?:[._]|$)'
_INFRARED = r'(?i)(?:^|[._])(?:b|2|ir|inf\w*|thermal)(?:[._]|$)'
_PERCEPTRONS = r'blocks\.\d+\.(?:scales|shifts)\.'
HICMD = Release(
    title='the generator, feature module and classifier of a Hi-CMD checkpoint',
    config='hicmd/hicmd-released_regdb.py',
    classifier='feature_module.head.classifier',
    num_ids='model.feature_module.head.num_ids',
    parts=(
        Part(('visible_attribute_encoder',), _VISIBLE),
        Part(('infrared_attribute_encoder',), _INFRARED),
        Part(('visible_prototype_encoder',), _VISIBLE),
        Part(('infrared_prototype_encoder',), _INFRARED),
        Part(('feature_module.trunk',)),
        Part(('feature_module.head',)),
        Part(('feature_module.mix',)),
        Part(('decoder',), needed=False, without=_PERCEPTRONS),
        Part(
            tuple(f'decoder.blocks.{block}.scales' for block in range(4)),
            r'(?i)(?:^|[._])(?:w|weight|scale|gamma|std)[a-z]*\d*(?:[._]|$)',
            needed=False,
        ),
        Part(
            tuple(f'decoder.blocks.{block}.shifts' for block in range(4)),
            r'(?i)(?:^|[._])(?:b|bias|shift|beta|mean)[a-z]*\d*(?:[._]|$)',
            needed=False,
        ),
        Part(('visible_discriminator',), _VISIBLE, needed=False),
        Part(('infrared_discriminator',), _INFRARED, needed=False),
    ),
)
ALIGNGAN = Release(
    title='the feature encoder and the generator of infrared images of an AlignGAN checkpoint',
    config='aligngan/aligngan-released_sysu.py',
    classifier='feature_module.classifier.layers.classifier',
    num_ids='model.feature_module.classifier.num_ids',
    parts=(
        Part(('feature_module.extractor',)),
        Part(
            ('visible_to_infrared',), r'(?i)(?:rgb|vis)[a-z]*[._]?(?:2|to)?[._]?(?:ir|inf|thermal)'
        ),
        Part(
            ('infrared_to_visible',),
            r'(?i)(?:ir|inf|thermal)[a-z]*[._]?(?:2|to)?[._]?(?:rgb|vis)',
            needed=False,
        ),
        Part(('feature_module.classifier',), needed=False),
        Part(('feature_module.embedder',), needed=False),
        Part(('joint_discriminator',), needed=False),
        Part(('visible_discriminator',), _VISIBLE, needed=False),
    ),
)
# Stages per modality, a ResNet of which layer3 and layer4 are used, and parts whose inner names are
# not known. Classifiers per modality are found where they are called as MPANet's.
DNS = Release(
    title='a DNS checkpoint',
    config='dns/dns_sysu.py',
    parts=(
        Part(('backbone.stems.visible',), _VISIBLE),
        Part(('backbone.stems.infrared',), _INFRARED),
        Part(('backbone.trunk.layer3',)),
        Part(('backbone.trunk.layer4',)),
        Part(('backbone.plugins.layer3',)),
        Part(('backbone.plugins.layer4',)),
        Part(('branch',), needed=False),
        Part(('neck.bn',), 'bottleneck'),
        Part(('head.classifier',), r'^(?:net\.)?classifier$'),
        Part(('modality_heads.students.visible',), r'(?:vis|rgb)\w*r$', needed=False),
        Part(('modality_heads.students.infrared',), r'(?:inf|ir_|th)\w*r$', needed=False),
        Part(('modality_heads.teachers.visible',), r'(?:vis|rgb)\w*$', needed=False),
        Part(('modality_heads.teachers.infrared',), r'(?:inf|ir_|th)\w*$', needed=False),
    ),
)
#: By the name of the method.
RELEASES = {
    'agw': AGW,
    'caj': CAJ,
    'lba': LBA,
    'hct': HCT,
    'deen': DEEN,
    'deen-regdb': DEEN_REGDB,
    'mscmnet': MSCMNET,
    'pmt': PMT,
    'mpanet': MPANET,
    'dns': DNS,
    'hicmd': HICMD,
    'aligngan': ALIGNGAN,
}
