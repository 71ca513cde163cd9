import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner import Runner

from mmvireid.datasets import reid_collate
from mmvireid.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[3]
NETWORK = dict(
    backbone=dict(type='TwoStreamResNet', depth=18, num_stages=2),
    neck=dict(type='BNNeck', pooling=dict(type='GeMPooling')),
    head=dict(type='IdentityHead', num_ids=3),
    identity_loss=dict(type='IdentityLoss'),
    triplet_loss=dict(type='WeightedRegularizedTripletLoss'),
)
CONFIG = NETWORK | dict(
    type='MSO',
    edges=dict(type='SobelEdges'),
    edge_loss=dict(type='PerceptualEdgeLoss', weights='random'),
    center_loss=dict(type='CrossModalityContrastiveCenterLoss'),
    loss_weights=dict(identity=1.0, triplet=0.5, edge=0.25, center=2.0),
)
FUSIONS = {
    'direct': dict(fusion=dict(type='DirectEdgeFusion')),
    'weighted': dict(fusion=dict(type='WeightedEdgeFusion')),
    'concat': dict(fusion=dict(type='ConcatEdgeFusion')),
    'classic': dict(
        fusion=dict(type='EdgeStream'),
        neck=dict(type='PairedBNNeck', pooling=dict(type='GeMPooling')),
    ),
}
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)


def build(**values):
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(CONFIG) | values)
    model.init_weights()
    return model


def weights(**values):
    return dict(loss_weights=CONFIG['loss_weights'] | values)


@pytest.fixture
def batch(training_batch):
    return training_batch(3, 2, size=(36, 32))


def opencv_edges(images):
    """Sum of the magnitudes of four Sobel responses, (N, 1, H, W)."""
    kernels = ([-1, 0, 1, -2, 0, 2, -1, 0, 1], [-1, -2, -1, 0, 0, 0, 1, 2, 1],
               [0, 1, 2, -1, 0, 1, -2, -1, 0], [-2, -1, 0, -1, 0, 1, 0, 1, 2])  # fmt: skip
    edges = []
    for image in images.permute(0, 2, 3, 1).numpy():  # uint8 BGR
        grey = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2GRAY)
        responses = [
            np.abs(
                cv2.filter2D(
                    grey, cv2.CV_32F, np.float32(k).reshape(3, 3), borderType=cv2.BORDER_REPLICATE
                )
            )
            for k in kernels
        ]
        edges.append(sum(responses))
    return torch.from_numpy(np.stack(edges))[:, None]


def standardised(maps):
    """Each image (1, h, w) with mean 0 and variance 1, as three equal channels."""
    images = [(image - image.mean()) / (image.var(correction=0) + 1e-6).sqrt() for image in maps]
    return torch.stack(images).repeat(1, 3, 1, 1)


def handwritten_edge_term(vgg, maps, edges):
    """Eqs. 2 and 3 for one modality, both on one scale."""
    x, y = standardised(maps.mean(1, keepdim=True)), standardised(edges)
    total = 0
    for index, layer in enumerate(vgg):
        x, y = layer(x), layer(y)
        if index in (3, 8, 15, 22):
            total = total + (x - y).pow(2).mean()
    return total


def handwritten_center_term(feature, num_ids):
    """Eqs. 4 and 5; images are sorted by modality, then identity, two of each."""
    g = feature / feature.norm(dim=1, keepdim=True)
    visible, infrared = (part.view(num_ids, 2, -1).mean(1) for part in g.chunk(2))
    center = (visible + infrared) / 2
    total = 0
    for k in range(num_ids):
        intra = (visible[k] - infrared[k]).norm()
        inter = min((center[k] - center[j]).norm() for j in range(num_ids) if j != k)
        total = total + torch.log(1 + torch.exp(intra - inter)) / num_ids
    return total


def handwritten_step(model, images, labels, optimizer):
    """One MSO iteration in plain PyTorch; images are uint8 BGR, visible first."""
    visible, infrared = ((images.flip(1).float() - MEAN) / STD).chunk(2)
    edges = F.avg_pool2d(opencv_edges(images), 4).chunk(2)
    stems = model.backbone.stems
    maps = stems['visible'](visible), stems['infrared'](infrared)
    vgg = model.edge_loss.vgg.network
    edge = handwritten_edge_term(vgg, maps[0], edges[0])
    edge = edge + handwritten_edge_term(vgg, maps[1], edges[1])
    embedding = (model.backbone.trunk(torch.cat(maps)).pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
    feature = model.neck.bn(embedding)
    loss = F.cross_entropy(feature @ model.head.classifier.weight.T, labels)
    loss = loss + 0.5 * model.triplet_loss(embedding, labels)  # AGW's, tested there
    loss = loss + 0.25 * edge + 2 * handwritten_center_term(feature, 3)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(batch, equals_handwritten):
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    equals_handwritten(build(), batch, labels, handwritten_step)


def test_the_terms_and_the_blocks_are_logged(batch):
    model = build()
    losses = model(**model.data_preprocessor(batch), mode='loss')
    terms = {f'loss_{term}' for term in CONFIG['loss_weights']}
    blocks = {f'edge_block{block}' for block in range(1, 5)}
    assert set(losses) == terms | blocks
    torch.testing.assert_close(losses['loss_edge'], 0.25 * sum(losses[key] for key in blocks))


def test_the_edge_term_reaches_the_stems_and_nothing_else(batch):
    model = build()
    model.loss(**model.data_preprocessor(batch))['edge'].backward()
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    assert reached == {f'backbone.{name}' for name, _ in model.backbone.named_parameters()
                       if name.startswith('stems.')}  # fmt: skip
    assert not model.edge_loss.vgg.network.training


@pytest.fixture
def rendered_batch(rendered):
    """A batch of rendered pictures, cropped as the config does."""
    cfg = Config.fromfile(ROOT / 'configs/mso/mso_synthetic.py').train_dataloader.dataset
    cfg.update(data_root=rendered('sysu'), size='tiny', num_heldout_ids=2, cache=None)
    dataset = DATASETS.build(cfg)
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    chosen = [
        [i for i, row in enumerate(rows) if (row['gt_label'], row['modality']) == (label, key)][:2]
        for key in ('visible', 'infrared')
        for label in range(3)
    ]
    return reid_collate([dataset[index] for group in chosen for index in group])


def test_at_the_start_the_edge_term_is_of_the_order_of_the_others(rendered_batch):
    model = build()
    terms = model.loss(**model.data_preprocessor(rendered_batch))
    for other in ('identity', 'triplet', 'center'):
        assert 0.2 < terms['edge'].item() / terms[other].item() < 5, other


def test_edges_that_are_added_to_stem_maps_are_seen(rendered_batch):
    model = build()
    data = model.data_preprocessor(rendered_batch)
    maps, edges = model.backbone.embed_stems(data['inputs']), model.find_edges(**data)
    for key in maps:
        assert 0.3 < (edges[key].mean() / maps[key].mean()).item() < 3, key


@pytest.mark.parametrize('values', [{}, FUSIONS['direct']])
def test_the_padding_of_a_crop_has_no_edges(values, rendered_batch, monkeypatch):
    """Neither for the edge term nor for a fusion."""
    model, found = build(**values), []
    edges = model.edges.forward
    monkeypatch.setattr(
        model.edges, 'forward', lambda *args: found.append(edges(*args)) or found[-1]
    )
    model.loss(**model.data_preprocessor(rendered_batch))
    assert len(found) == (4 if values else 2)
    boxes = [sample.picture_box for sample in rendered_batch['data_samples']]
    assert len(set(boxes)) > 6
    for energy, (left, top, right, bottom), image in zip(
        torch.cat(found[:2]), boxes, rendered_batch['inputs'], strict=True
    ):
        alone = opencv_edges(image[None, :, top:bottom, left:right])[0]
        inside = energy[:, top:bottom, left:right]
        torch.testing.assert_close(inside, alone, atol=1e-2, rtol=0)
        assert energy.sum().item() == pytest.approx(inside.sum().item(), rel=1e-5)


def test_a_checkpoint_is_agws():
    """Without fusion the two exchange checkpoints, and start from the same weights."""
    torch.manual_seed(0)
    agw = MODELS.build(
        copy.deepcopy(NETWORK) | dict(type='AGW', loss_weights=dict(identity=1.0, triplet=1.0))
    )
    mso = build()
    assert set(mso.state_dict()) == set(agw.state_dict())
    for key, value in agw.state_dict().items():
        assert torch.equal(mso.state_dict()[key], value), key
    mso.load_state_dict(agw.state_dict())
    agw.load_state_dict(mso.state_dict())


def test_evaluation_neither_has_nor_needs_vgg_and_edges(training_batch):
    model = MODELS.build(copy.deepcopy(CONFIG)).eval()  # as for inference: nothing initialised
    model.edges = None
    inputs = model.data_preprocessor(training_batch(size=(16, 16)))['inputs']
    assert model(inputs).shape == (12, 128)
    assert model.edge_loss.vgg.network is None


def test_a_term_of_weight_0_costs_nothing(batch):
    model = build(**weights(edge=0.0, center=0.0))
    assert not hasattr(model, 'edge_loss')
    assert not hasattr(model, 'center_loss')
    model.edges = None
    losses = model(**model.data_preprocessor(batch), mode='loss')
    assert set(losses) == {'loss_identity', 'loss_triplet'}


@pytest.mark.parametrize('kind', ['weighted', 'concat'])
def test_learnable_fusions_start_as_the_baseline(kind, batch):
    plain, fused = (build(**values, **weights(edge=0.0)).eval() for values in ({}, FUSIONS[kind]))
    fused.load_state_dict(plain.state_dict(), strict=False)
    inputs = plain.data_preprocessor(batch)['inputs']
    assert torch.equal(fused(inputs), plain(inputs))


@pytest.mark.parametrize('kind', FUSIONS)
def test_edges_are_fused_at_test_time_too(kind, batch):
    model = build(**FUSIONS[kind], **weights(edge=0.0)).eval()
    for name, parameter in model.fusion.named_parameters():
        if 'weights' in name or 'convolutions' in name:
            torch.nn.init.normal_(parameter)
    inputs = model.data_preprocessor(batch)['inputs']
    both = model(inputs)
    assert both.shape == (12, 128)
    for key, part in zip(inputs, both.chunk(2)):  # one modality alone
        torch.testing.assert_close(model({key: inputs[key]}), part, rtol=1e-4, atol=1e-5)
    model.edges.kernels.zero_()
    assert not torch.allclose(model(inputs), both, atol=1e-4)


@pytest.mark.parametrize(
    'center_loss',
    [
        dict(type='HeteroCenterLoss'),
        dict(type='ExpAngleTripletLoss'),
        dict(type='TripletCenterLoss', num_ids=3, in_channels=128),
    ],
)
def test_rival_losses_take_the_same_place(center_loss, batch):
    model = build(center_loss=center_loss, **weights(edge=0.0))
    data = model.data_preprocessor(batch)
    torch.manual_seed(1)
    term = model.loss(**data)['center']
    _, feature = model.neck(model.backbone(data['inputs']))
    torch.manual_seed(1)
    expected = model.center_loss(feature, torch.tensor([0, 0, 1, 1, 2, 2] * 2), 6)
    torch.testing.assert_close(term, expected)


def test_batches_without_a_pair_are_refused(training_batch, batch):
    model = build()

    def loss(batch):
        return model(**model.data_preprocessor(batch), mode='loss')

    with pytest.raises(ValueError, match='no image of another identity .* at least two identities'):
        loss(training_batch(1, 4, size=(32, 32)))
    half = dict(inputs=batch['inputs'][:6], data_samples=batch['data_samples'][:6])
    with pytest.raises(
        ValueError, match='visible image 0 .* no image of same identity in the other'
    ):
        loss(half)
    with pytest.raises(ValueError, match='images of 32 x 28 give stem maps of 8 x 7'):
        loss(training_batch(3, 2, size=(32, 28)))


@pytest.mark.parametrize('name', ['mso_sysu', 'mso-baseline_sysu', 'mso_regdb', 'mso_synthetic'])
def test_triplets_are_of_normalised_embeddings(name):
    """As the paper says; AGW stays as released."""
    cfg = Config.fromfile(ROOT / f'configs/mso/{name}.py')
    loss = MODELS.build(cfg.model.triplet_loss)
    generator = torch.Generator().manual_seed(0)
    embeddings, labels = torch.randn(8, 16, generator=generator), torch.arange(4).repeat(2)
    factors = torch.arange(1.0, 9.0)[:, None]
    torch.testing.assert_close(loss(factors * embeddings, labels), loss(embeddings, labels))
    agw = MODELS.build(Config.fromfile(ROOT / 'configs/agw/agw_sysu.py').model.triplet_loss)
    assert agw(factors * embeddings, labels) > 2 * agw(embeddings, labels)


def test_checkpoints_of_a_run_hold_nothing_of_vgg(shrink):
    runner = Runner.from_cfg(shrink(str(ROOT / 'configs/mso/mso_synthetic.py')))
    runner.train()
    assert runner.model.edge_loss.vgg.network is not None
    saved = torch.load(Path(runner.work_dir) / 'epoch_1.pth', weights_only=True)
    assert {key.split('.')[0] for key in saved['state_dict']} == {'backbone', 'neck', 'head'}
    moved = sum(len(group['params']) for group in runner.optim_wrapper.param_groups)
    assert moved == len([p for p in runner.model.parameters() if p.requires_grad]) + 1  # BN's bias


def test_missing_weights_stop_a_run_before_its_first_iteration(shrink):
    cfg = shrink(str(ROOT / 'configs/mso/mso_synthetic.py'))
    cfg.model.edge_loss.weights = 'nowhere/vgg16.pth'
    runner = Runner.from_cfg(cfg)
    with pytest.raises(FileNotFoundError, match=r"'nowhere/vgg16\.pth', no such file"):
        runner.train()
    assert runner.iter == 0
