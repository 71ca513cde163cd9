import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.models.losses import QuadrupleCenterLoss
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]
CONFIG = Config.fromfile(ROOT / 'configs/mscmnet/mscmnet_sysu.py').model.to_dict()
#: Views that draw nothing, each of its own kind: a channel, another one, a third.
VIEWS = dict(
    visible={},
    exchanged=dict(
        modality='visible', augmentations=[dict(type='ChannelCopyAugmentation', channels=(2,))]
    ),
    scaled=dict(
        modality='infrared', augmentations=[dict(type='ChannelCopyAugmentation', channels=(0,))]
    ),
    infrared=dict(augmentations=[dict(type='ChannelCopyAugmentation', channels=(1,))]),
)
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 4)
ATTENTION = dict(type='CrossLevelAttentionPlugin', map_size=(4, 2), num_heads=4)


def build(views=VIEWS, **values):
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIG) | values
    config['backbone'].update(
        depth=18,
        num_stages=3,
        non_local=dict(layer2=1),
        plugins=dict(layer3=dict(ATTENTION)),
        init_cfg=None,
    )
    config.update(
        channels_last=False,
        head=dict(type='IdentityHead', num_ids=3),
        data_preprocessor=dict(views=views),
    )
    return MODELS.build(config)


def normalized(images):
    """uint8 BGR -> what the network gets."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406],
                                                         [0.229, 0.224, 0.225]))  # fmt: skip
    return (images.flip(1).float() / 255 - mean) / std


def handwritten_step(model, images, labels, optimizer):
    """One iteration in plain PyTorch; the attention has a slow loop of its own."""
    visible, infrared = normalized(images).chunk(2)
    copied = [values[:, c : c + 1].repeat(1, 3, 1, 1) for values, c in
              ((visible, 2), (infrared, 1), (infrared, 0))]  # fmt: skip
    net = model.backbone
    stems = [*net.stems['visible'], *net.stems['infrared']]
    stem = torch.cat([own(view) for own, view in zip(stems, (visible, *copied))])
    maps = dict(stem=stem, layer1=net.trunk.layer1(stem))
    maps['layer2'] = net.trunk.layer2(maps['layer1'])
    (attention,) = net.plugins['layer3']
    x = attention(net.trunk.layer3(maps['layer2']), maps)
    embedding = (x.clamp(min=0).pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
    loss = F.cross_entropy(logits, labels) + QuadrupleCenterLoss()(embedding, labels, 12)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(training_batch, equals_handwritten):
    equals_handwritten(build(), training_batch(3, 2), LABELS, handwritten_step)


def test_a_test_image_goes_through_both_stems_of_its_modality(training_batch):
    model = build().eval()
    inputs = model.data_preprocessor(training_batch(3, 2))['inputs']
    assert {key: len(images) for key, images in inputs.items()} == dict(visible=6, infrared=6)
    found = model.extract(inputs)
    stems = model.backbone.stems
    maps = {key: sum(stem(inputs[key]) for stem in stems[key]) / 2 for key in inputs}
    torch.testing.assert_close(found, model.neck(model.backbone({}, stem_maps=maps))[1])


def test_without_the_term_nothing_of_it_is_computed(training_batch):
    model = build(loss_weights=dict(identity=1.0, center=0.0))
    model.losses['center'].forward = None
    model.check_declarations()
    batch = model.data_preprocessor(training_batch(3, 2), training=True)
    assert set(model(**batch, mode='loss')) == {'loss_identity'}


@pytest.mark.parametrize('views', [None, dict(visible={}), {k: VIEWS[k] for k in [*VIEWS][:2]}])
def test_stems_without_their_views_are_refused(views):
    with pytest.raises(ValueError, match='MSCMNet: `backbone.num_stems` is 2 with the views'):
        build(views).check_declarations()


def test_images_and_batches_are_the_released_ones():
    cfg = Config.fromfile(ROOT / 'configs/mscmnet/mscmnet_sysu.py')
    loader = cfg.train_dataloader
    assert loader.batch_size == 48
    assert loader.batch_sampler.to_dict() == dict(
        type='CrossModalityBatchSampler', num_ids=6, num_instances=4, replace=True, num_batches=927
    )
    assert tuple(loader.dataset.pipeline[0].size) == (384, 192)
    assert tuple(cfg.model.backbone.plugins.layer3.map_size) == (384 // 16, 192 // 16)
    assert not cfg.model.get('flip_test')


def test_the_released_grey_of_infrared_images_has_two_choices():
    """Half of the images have one channel, a quarter is grey, a quarter is as it was."""
    cfg = Config.fromfile(ROOT / 'configs/mscmnet/mscmnet_sysu.py')
    _, step = cfg.model.data_preprocessor.views.infrared.augmentations
    torch.manual_seed(0)
    image = torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1).expand(4000, 3, 1, 1)
    changed = MODELS.build(step)(image, [None] * 4000)[:, :, 0, 0]
    grey = 0.2989 + 2 * 0.587 + 4 * 0.114
    kinds = [torch.full((3,), 2.0), torch.full((3,), grey), torch.tensor([1.0, 2.0, 4.0])]
    shares = [torch.isclose(changed, kind).all(1).double().mean().item() for kind in kinds]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.03)


def test_interrupted_and_resumed_equals_straight(resumes_exactly):
    resumes_exactly(str(ROOT / 'configs/mscmnet/mscmnet_synthetic.py'))
