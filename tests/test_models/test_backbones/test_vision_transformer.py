import pytest
import torch
from torchvision.models.vision_transformer import VisionTransformer as TorchvisionViT

from mmvireid.models.backbones import VisionTransformer
from mmvireid.models.layers import resize_positions

SMALL = dict(feature_size=8, num_blocks=3, num_heads=2)
#: timm's names of a block's parameters.
BLOCK = [
    f'{layer}.{kind}'
    for layer in ('norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2')
    for kind in ('weight', 'bias')
]


def images(count=2, size=(64, 32)):
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(1))


def build(size=(64, 32), **values):
    torch.manual_seed(0)
    return VisionTransformer(size, **SMALL | values)


def test_it_is_the_transformer_of_torchvision():
    """Where patches do not overlap and images are square; PyTorch's own attention."""
    ours = build((48, 48), patch_size=16, stride=16, eps=1e-3).double().eval()
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    theirs = TorchvisionViT(
        48, 16, 3, 2, 8, 32, norm_layer=lambda size: torch.nn.LayerNorm(size, eps=1e-3)
    )
    weights = {}
    for key, value in ours.state_dict().items():
        for old, new in {
            'cls_token': 'class_token', 'pos_embed': 'encoder.pos_embedding',
            'patch_embed.proj': 'conv_proj', 'blocks.': 'encoder.layers.encoder_layer_',
            'norm1': 'ln_1', 'norm2': 'ln_2', 'attn.qkv.': 'self_attention.in_proj_',
            'attn.proj': 'self_attention.out_proj', 'mlp.fc1': 'mlp.0', 'mlp.fc2': 'mlp.3',
        }.items():  # fmt: skip
            key = key.replace(old, new)
        weights[f'encoder.ln.{key[5:]}' if key.startswith('norm.') else key] = value
    lacking = theirs.double().eval().load_state_dict(weights, strict=False)
    assert lacking.missing_keys == ['heads.head.weight', 'heads.head.bias']
    assert not lacking.unexpected_keys
    theirs.heads = torch.nn.Identity()
    x = images(3, (48, 48)).double()
    torch.testing.assert_close(ours(dict(infrared=x))[:, 0], theirs(x))


def test_parameters_and_names_are_those_of_timm():
    with torch.device('meta'):
        net = VisionTransformer()
    assert net.grid == (21, 10)
    assert sum(parameter.numel() for parameter in net.parameters()) == 85_809_408
    names = ['cls_token', 'pos_embed', 'patch_embed.proj.weight', 'patch_embed.proj.bias']
    names += [f'blocks.{i}.{name}' for i in range(12) for name in BLOCK]
    assert list(net.state_dict()) == [*names, 'norm.weight', 'norm.bias']


def test_modalities_share_the_network_or_have_their_own_patches():
    x = images()
    both = dict(visible=x, infrared=x)
    visible, infrared = build(drop_path=0.0, dropout=0.0)(both).chunk(2)
    assert torch.equal(visible, infrared)
    net = build(split='patch_embed').eval()
    visible, infrared = net(both).chunk(2)
    assert not torch.allclose(visible, infrared, atol=1e-3)
    torch.testing.assert_close(net(dict(infrared=x)), infrared)
    net.patch_embed['infrared'].load_state_dict(net.patch_embed['visible'].state_dict())
    torch.testing.assert_close(*net(both).chunk(2))


def test_depth_skips_linearly():
    assert [block.drop_path.p for block in build(drop_path=0.1).blocks] == [0, 0.05, 0.1]
    assert build(num_blocks=1).blocks[0].drop_path.p == 0


@pytest.fixture
def imagenet(tmp_path):
    """Weights by timm's names for square images of 48 x 48, with a classifier."""
    torch.manual_seed(3)
    weights = VisionTransformer((48, 48), stride=16, **SMALL).state_dict()
    torch.save(weights | {'head.weight': torch.ones(5, 8)}, tmp_path / 'vit.pth')
    return str(tmp_path / 'vit.pth'), weights


@pytest.mark.parametrize('split', ['none', 'patch_embed'])
def test_weights_of_imagenet_are_read_and_positions_resized(imagenet, split):
    path, weights = imagenet
    net = build(split=split, init_cfg=dict(type='Pretrained', checkpoint=path))
    net.init_weights()
    found = net.state_dict()
    for key, value in weights.items():
        if key == 'pos_embed':
            value = resize_positions(value, (3, 3), (5, 2))
        names = [key]
        if key.startswith('patch_embed') and split != 'none':
            names = [key.replace('proj', f'{name}.proj') for name in ('visible', 'infrared')]
        assert all(torch.equal(found.pop(name), value) for name in names), key
    assert not found


def test_weights_of_a_trained_model_are_taken_as_they_are(tmp_path):
    torch.manual_seed(3)
    own = VisionTransformer((64, 32), **SMALL).state_dict()
    path = str(tmp_path / 'own.pth')
    torch.save({f'backbone.{key}': value for key, value in own.items()}, path)
    net = build(init_cfg=dict(type='Pretrained', checkpoint=path, prefix='backbone.'))
    net.init_weights()
    assert all(torch.equal(value, own[key]) for key, value in net.state_dict().items())


def test_weights_that_do_not_fit_are_refused_by_name(imagenet, tmp_path):
    path, weights = imagenet
    del weights['blocks.2.mlp.fc2.bias']
    torch.save(weights | {'blocks.3.norm1.bias': torch.zeros(8)}, path)
    net = build(init_cfg=dict(type='Pretrained', checkpoint=path))
    with pytest.raises(ValueError, match=r'1 missing: blocks.2.mlp.fc2.bias; 1 not in the model'):
        net.init_weights()
    net = build(init_cfg=dict(type='Pretrained', checkpoint=path, strict=False))
    with pytest.raises(ValueError, match='`model.backbone.init_cfg` is .*expected dict'):
        net.init_weights()
    with pytest.raises(FileNotFoundError, match='no such file'):
        build(init_cfg=dict(type='Pretrained', checkpoint='none.pth')).init_weights()


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(num_heads=3), '`num_heads` is 3, expected a divisor of `feature_size`, 8'),
        (dict(split='stem'), "`split` is 'stem', expected 'none' or 'patch_embed'"),
        (dict(stride=0, num_heads=0), r"{'stride': 0, 'num_heads': 0}, expected numbers of at"),
        (dict(drop_path=1.0), r"{'drop_path': 1.0}, expected .* and probabilities in \[0, 1\)"),
        (dict(size=(64, 8)), r'`input_size` is \(64, 8\), expected at least `patch_size`, 16'),
    ],
)
def test_wrong_arguments_are_refused(values, message):
    with pytest.raises(ValueError, match=f'VisionTransformer: {message}'):
        build(**values)


def test_images_of_another_size_are_refused():
    """Larger ones, and smaller ones of as many patches."""
    net = build()
    for size in ((128, 32), (66, 34)):
        with pytest.raises(ValueError, match=r'`input_size` is \(64, 32\) and an image \(\d+, 3'):
            net(dict(visible=images(), infrared=images(size=size)))
