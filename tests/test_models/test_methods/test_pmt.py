import copy
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.engine.runner import forget_weights
from mmvireid.models.base import Stage
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/pmt'
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 2)


def load(name):
    return Config.fromfile(CONFIGS / f'{name}.py', format_python_code=False)


def build(name='pmt_sysu', **backbone):
    """The model of a config, narrow; nothing in it is random but the grey of the first stage."""
    cfg = load(name).model
    cfg.head.num_ids = 3
    small = dict(input_size=(40, 28), feature_size=12, num_blocks=2, num_heads=3)
    cfg.backbone.update(small | dict(dropout=0.0, drop_path=0.0, init_cfg=None) | backbone)
    for view in cfg.data_preprocessor.get('views', {}).values():
        view.augmentations = [s for s in view.augmentations if s.type == 'GreyAugmentation']
    torch.manual_seed(0)
    return MODELS.build(cfg)


def stages(name='pmt_sysu'):
    table = load(name).default_hooks.stage.stages
    return [Stage(**{**entry, 'views': tuple(entry['views'])}) for entry in table]


def embed(model, images, grey):
    """The class token of the transformer, written out; images are uint8 BGR, visible first."""
    x = images.flip(1).float()
    if grey:
        shades = (x[:6] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
        x = torch.cat([shades.expand(-1, 3, -1, -1), x[6:]])
    x = (x - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / torch.tensor(
        [58.395, 57.12, 57.375]
    ).view(3, 1, 1)
    net = model.backbone
    patches = [
        F.linear(x[:, :, i : i + 16, j : j + 16].flatten(1), net.patch_embed.proj.weight.flatten(1),
                 net.patch_embed.proj.bias)
        for i in (0, 12, 24) for j in (0, 12)
    ]  # fmt: skip
    tokens = torch.stack([net.cls_token[0].expand(12, -1), *patches], dim=1) + net.pos_embed
    for block in net.blocks:
        normed = F.layer_norm(tokens, (12,), block.norm1.weight, block.norm1.bias, 1e-5)
        q, k, v = F.linear(normed, block.attn.qkv.weight, block.attn.qkv.bias).chunk(3, dim=2)
        heads = []
        for h in range(3):
            own = slice(4 * h, 4 * h + 4)
            share = (q[..., own] @ k[..., own].transpose(1, 2) / 2).softmax(2)
            heads.append(share @ v[..., own])
        tokens = tokens + F.linear(
            torch.cat(heads, 2), block.attn.proj.weight, block.attn.proj.bias
        )
        normed = F.layer_norm(tokens, (12,), block.norm2.weight, block.norm2.bias, 1e-5)
        hidden = F.linear(normed, block.mlp.fc1.weight, block.mlp.fc1.bias)
        hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
        tokens = tokens + F.linear(hidden, block.mlp.fc2.weight, block.mlp.fc2.bias)
    return F.layer_norm(tokens, (12,), net.norm.weight, net.norm.bias, 1e-5)[:, 0]


def batch_hard(rows, labels):
    total = 0
    for i, label in enumerate(labels):
        lengths = (rows[i] - rows).square().sum(1).clamp(min=1e-12).sqrt()
        hinge = 0.1 + lengths[labels == label].max() - lengths[labels != label].min()
        total = total + hinge.clamp(min=0) / len(rows)
    return total


def enhancement(rows):
    """With two images of each modality: of an image, the other two, and the further one."""
    total = 0
    for i in range(12):
        partner, across = i ^ 1, [(i + 6) % 12, (i + 6) % 12 ^ 1]
        a = sum((rows[i] - rows[j]).norm() for j in across) / 2
        total = total + (a - (rows[i] - rows[partner]).norm()) ** 2 / 12
    return total


def center_ratio(rows):
    own, near = [], []
    for k in range(3):
        center = rows[k == LABELS].mean(0)
        own += [(row - center).norm() for row in rows[k == LABELS]]
        others = torch.stack([(row - center).norm() for row in rows[k != LABELS]])
        near.append(others[others < others.mean()].mean())
    return torch.stack(own).mean() / torch.stack(near).mean()


@pytest.mark.parametrize('number', [0, 1])
def test_three_iterations_of_each_stage_equal_a_handwritten_loop(
    number, training_batch, equals_handwritten
):
    def handwritten_step(model, images, labels, optimizer):
        embedding = embed(model, images, grey=number == 0)
        logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
        loss = F.cross_entropy(logits[:6], LABELS[:6]) + F.cross_entropy(logits[6:], LABELS[6:])
        if number == 0:
            loss = loss + batch_hard(embedding[:6], LABELS[:6])
            loss = loss + batch_hard(embedding[6:], LABELS[6:])
        else:
            loss = loss + batch_hard(embedding, LABELS)
            loss = loss + 0.5 * enhancement(embedding) + 0.5 * center_ratio(embedding)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    model = build()
    model.enter_stage(stages()[number])
    equals_handwritten(model, training_batch(3, 2, size=(40, 28)), LABELS, handwritten_step)


def test_the_table_of_stages_is_the_releases():
    for name, epochs in (('pmt_sysu', 24), ('pmt_regdb', 36)):
        cfg = load(name)
        grey, colour = stages(name)
        assert (grey.end, colour.end, cfg.train_cfg.max_epochs) == (6, None, epochs)
        model = build(name)
        for stage, counted, visible in [
            (grey, dict(identity=1, modality_triplet=1), 'grey'),
            (colour, dict(identity=1, triplet=1, enhancement=0.5, center=0.5), 'visible'),
        ]:
            model.check_stage(stage)
            model.enter_stage(stage)
            assert {k: w for k, w in model.loss_weights.items() if w} == counted
            assert stage.views == (visible, 'infrared')


#: Rate of the classifier by epoch, counted from 1.
RATES = {
    'pmt_sysu': {1: 1.02e-4, 2: 2.01e-4, 3: 2.88696e-4, 4: 2.80105e-4, 6: 2.56505e-4,
                 7: 2.41901e-4, 12: 1.515e-4, 23: 4.27e-6, 24: 3e-6},
    'pmt_regdb': {1: 1.02e-4, 2: 2.01e-4, 3: 2.9494e-4, 7: 2.73144e-4, 36: 3e-6},
}  # fmt: skip
HALF = {1: 5.2e-5, 2: 1.01e-4}


@pytest.mark.parametrize('name', RATES)
def test_rates_are_those_of_the_table(name, rate_table):
    table = rate_table(f'pmt/{name}.py')
    assert len(table) == max(RATES[name])
    slow = ('backbone.patch_embed.', 'backbone.blocks.')
    for epoch, rate in RATES[name].items():
        for parameter, group in table[epoch - 1].items():
            assert group['weight_decay'] == 1e-4, parameter
            if not parameter.startswith(slow):
                assert group['lr'] == pytest.approx(rate, rel=2e-4), (epoch, parameter)
    for epoch, rate in HALF.items():
        rates = [g['lr'] for key, g in table[epoch - 1].items() if key.startswith(slow)]
        assert rates == pytest.approx([rate] * len(rates))
    # the same table for half the rate, with the same floor
    halved = [3e-6 + (g - 3e-6) * 1.47 / 2.97 for g in RATES[name].values()]
    found = [table[epoch - 1]['backbone.blocks.0.norm1.weight']['lr'] for epoch in RATES[name]]
    assert found == pytest.approx(halved, rel=2e-4)


def test_parameters():
    cfg = load('pmt_sysu').model
    forget_weights(cfg)
    with torch.device('meta'):
        model = MODELS.build(cfg)
    assert sum(parameter.numel() for parameter in model.parameters()) == 86_114_304
    norms = [m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert {norm.eps for norm in norms} == {1e-5}
    rates = [block.drop_path.p for block in model.backbone.blocks]
    assert rates == pytest.approx([0.1 * i / 11 for i in range(12)])
    drops = {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)}
    assert drops == {0.03}


def test_the_scale_of_the_neck_starts_at_one_and_its_shift_stays():
    cfg = load('pmt_sysu').model
    neck = MODELS.build(dict(cfg.neck, in_channels=8))
    neck.init_weights()
    assert torch.equal(neck.bn.weight, torch.ones(8))
    assert torch.equal(neck.bn.bias, torch.zeros(8)) and not neck.bn.bias.requires_grad


def test_images_are_changed_as_released():
    """Resized and mirrored, not cropped; infrared ones jittered or blurred, always; erased by E."""
    cfg = load('pmt_regdb')
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert steps == ['LoadReIDImage', 'RandomFlip', 'PackReIDInputs']
    views = cfg.model.data_preprocessor.views
    first = views.grey.augmentations[0]
    assert (first.type, first.prob) == ('GreyAugmentation', 1)
    choice = MODELS.build(views.infrared.augmentations[0])
    assert choice.prob == 1 and {step.prob for step in choice.choices} == {1}
    jitter, blur = choice.choices
    assert (jitter.brightness, jitter.contrast) == (0.3, 0.3)
    assert (blur.kernel_size, blur.sigma) == (21, (0.1, 3.0))
    for view in views.values():
        erasing = view.augmentations[-1]
        assert (erasing.prob, erasing.space) == (0.5, 'normalized')
        assert erasing.fill == (0.485, 0.456, 0.406)


def test_the_feature_is_the_one_behind_the_neck(training_batch):
    model = build().eval()
    batch = training_batch(3, 2, size=(40, 28))
    with torch.no_grad():
        feature = model(model.data_preprocessor(batch)['inputs'])
        expected = model.neck.bn(embed(model, batch['inputs'], grey=False))
    torch.testing.assert_close(feature, F.normalize(expected), atol=1e-5, rtol=1e-4)


def test_a_single_image_of_a_modality_is_refused_where_two_are_compared(training_batch):
    model = build()
    data = model.data_preprocessor(training_batch(3, 1, size=(40, 28)))
    for stage in stages():
        model.enter_stage(stage)
        with pytest.raises(ValueError, match='single image among the visible ones'):
            model.loss(**data)
    model.loss_weights = dict(model.loss_weights, enhancement=0.0)
    assert set(model.loss(**data)) == {'identity', 'triplet', 'center'}


@pytest.mark.parametrize('name', ['agw-pmt_sysu', 'agw-pmt_synthetic'])
def test_on_agw_there_is_one_stage_with_all_terms(name, training_batch):
    cfg = load(name)
    assert 'stage' not in cfg.default_hooks
    cfg.model.backbone.update(depth=18, num_stages=2, non_local=None, init_cfg=None)
    cfg.model.head.num_ids = 3
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    assert model.triplet_loss.margin == 0.1
    data = model.data_preprocessor(training_batch(3, 2), training=True)
    terms = model.loss(**data)
    assert set(terms) == {'identity', 'triplet', 'enhancement', 'center'}
    rows = model.neck(model.backbone(data['inputs']))[0]
    torch.testing.assert_close(terms['enhancement'], enhancement(rows), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(terms['center'], center_ratio(rows), rtol=1e-3, atol=1e-4)


def test_the_baseline_has_no_grey_and_no_terms_of_its_own(training_batch):
    cfg = load('pmt-baseline_sysu')
    assert 'stage' not in cfg.default_hooks
    model = build('pmt-baseline_sysu')
    data = model.data_preprocessor(training_batch(3, 2, size=(40, 28)), training=True)
    assert len(data['data_samples']) == 12
    assert set(model.loss(**copy.copy(data))) == {'identity', 'triplet'}


def test_interrupted_and_resumed_equals_straight_in_every_stage(resumes_exactly):
    resumes_exactly(str(CONFIGS / 'pmt_sysu.py'))  # with dropout, and parts that images skip
