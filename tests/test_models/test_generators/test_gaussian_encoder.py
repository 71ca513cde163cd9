import pytest
import torch
import torchvision
from torch.nn.functional import conv2d

from mmvireid.models.generators import GaussianCode, GaussianEncoder


def build(pooling='MaxPooling', code_size=6, **kwargs):
    kwargs = dict(depth=18, stage='layer3') | kwargs
    return GaussianEncoder(code_size, dict(type=pooling), **kwargs)


@pytest.mark.parametrize('pooling', ['MaxPooling', 'AveragePooling'])
def test_heads_equal_blocks_then_a_convolution_then_pooling(pooling):
    encoder = build(pooling).eval()
    torch.nn.init.normal_(encoder.log_var_head.weight, std=0.05)
    x = torch.randn(2, 128, 4, 2)
    code = encoder(x)
    hidden = encoder.blocks.layer3[1](encoder.blocks.layer3[0](x))
    for found, head in zip(code, (encoder.mean_head, encoder.log_var_head)):
        positions = conv2d(hidden, head.weight, head.bias).flatten(2).unbind(dim=2)
        stacked = torch.stack(positions)
        expected = stacked.amax(dim=0) if pooling == 'MaxPooling' else stacked.mean(dim=0)
        torch.testing.assert_close(found, expected)


def test_normalised_means_have_mean_0_and_variance_1_over_the_batch():
    plain, normal = build(), build(normalize_mean=True)
    normal.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(8, 128, 4, 2)
    code, expected = normal(x), plain(x)
    centred = expected.mean - expected.mean.mean(dim=0)
    variance = expected.mean.var(dim=0, correction=0)
    torch.testing.assert_close(code.mean, centred / (variance + 1e-5).sqrt(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(code.log_var, expected.log_var)
    assert [name for name, _ in normal.named_parameters()] == [
        name for name, _ in plain.named_parameters()
    ]  # no scale that could undo it


@pytest.mark.parametrize('normalize_mean', [False, True])
def test_a_standard_gaussian_reaches_means_only_if_they_are_not_normalised(normalize_mean):
    """Their mean square is what the prior pulls at; normalised ones keep it at 1."""
    encoder = build(normalize_mean=normalize_mean)
    x = torch.randn(8, 128, 4, 2)
    squares = []
    for _ in range(2):
        squares.append(encoder(x).mean.var(dim=0, correction=0).mean().item())
        for parameter in encoder.mean_head.parameters():
            parameter.data *= 0.5
    assert squares[1] / squares[0] == pytest.approx(1.0 if normalize_mean else 0.25, rel=0.02)


def test_log_variance_is_clamped_and_finite_in_half_precision():
    encoder = build(code_size=64, max_log_var=10.0)
    torch.nn.init.normal_(encoder.log_var_head.weight, std=1e6)
    x = torch.randn(4, 128, 1, 1)
    code = encoder(x)
    assert (code.log_var.min().item(), code.log_var.max().item()) == (-10, 10)
    for variance in (code.log_var.half().exp(), (-code.log_var).half().exp()):
        assert torch.isfinite(variance).all() and (variance > 0).all()
    code.sample().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters() if p.grad is not None)


def test_code_is_float32_inside_autocast():
    encoder = build()
    with torch.autocast('cpu', torch.bfloat16):
        x = torch.randn(2, 128, 4, 2)
        assert encoder.mean_head(encoder.blocks(x)).dtype == torch.bfloat16
        code = encoder(x)
        sample = code.sample()
    assert {code.mean.dtype, code.log_var.dtype, sample.dtype} == {torch.float32}


@pytest.mark.parametrize('pooling', ['MaxPooling', 'AveragePooling'])
def test_a_code_starts_with_variance_one(pooling):
    code = build(pooling, code_size=32)(torch.randn(4, 128, 6, 4).relu())
    assert (code.log_var.exp() - 1).abs().max() < 0.2
    assert code.log_var.any()


def test_samples_have_the_moments_of_the_code():
    torch.manual_seed(0)
    mean, log_var = torch.tensor([[-3.0, 0.0, 7.0]]), torch.tensor([[-2.0, 0.0, 3.0]])
    count = 40_000
    sample = GaussianCode(mean.expand(count, -1), log_var.expand(count, -1)).sample()
    variance = log_var[0].exp()
    assert ((sample.mean(0) - mean[0]).abs() < 5 * (variance / count).sqrt()).all()
    torch.testing.assert_close(sample.var(0), variance, rtol=5 * (2 / count) ** 0.5, atol=0)
    correlation = torch.corrcoef(sample.T) - torch.eye(3)
    assert correlation.abs().max() < 5 / count**0.5


def test_samples_are_reparametrised():
    mean, log_var = torch.randn(2, 4, 3, dtype=torch.float64).unbind()
    mean.requires_grad_(), log_var.requires_grad_()
    sample = GaussianCode(mean, log_var).sample()
    sample.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones_like(mean))
    torch.testing.assert_close(log_var.grad, 0.5 * (sample - mean).detach())


@pytest.mark.parametrize('num_blocks', [1, 2])
def test_pretrained_blocks_come_from_the_beginning_of_the_stage(tmp_path, num_blocks):
    weights = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(weights, tmp_path / 'imagenet.pth')
    checkpoint = dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth'))
    encoder = build(num_blocks=num_blocks, init_cfg=checkpoint)
    heads = [encoder.mean_head.weight.clone(), encoder.log_var_head.weight.clone()]
    encoder.init_weights()
    loaded = encoder.blocks.state_dict()
    assert {name.split('.')[1] for name in loaded} == {str(i) for i in range(num_blocks)}
    assert all(value.equal(weights[name]) for name, value in loaded.items())
    assert encoder.mean_head.weight.equal(heads[0])
    assert encoder.log_var_head.weight.equal(heads[1])


@pytest.mark.parametrize(
    ('other', 'num_blocks'), [('resnet34', 1), ('resnet34', 2), ('resnet50', 1)]
)
def test_weights_of_another_depth_are_refused(tmp_path, other, num_blocks):
    weights = getattr(torchvision.models, other)(weights=None).state_dict()
    torch.save(weights, tmp_path / 'other.pth')
    checkpoint = dict(type='Pretrained', checkpoint=str(tmp_path / 'other.pth'))
    encoder = build(num_blocks=num_blocks, init_cfg=checkpoint)
    with pytest.raises(ValueError, match='does not fit the model'):
        encoder.init_weights()


@pytest.mark.parametrize(
    ('depth', 'stage', 'in_channels', 'width'),
    [(18, 'layer4', 256, 512), (50, 'layer4', 1024, 2048), (50, 'layer2', 256, 512)],
)
@pytest.mark.parametrize('stride', [1, 2])
def test_sizes_follow_the_stage(depth, stage, in_channels, width, stride):
    encoder = build(depth=depth, stage=stage, stride=stride)
    assert encoder.in_channels == in_channels
    x = torch.randn(2, in_channels, 8, 4)
    assert encoder.blocks(x).shape == (2, width, 8 // stride, 4 // stride)
    assert encoder(x).log_var.shape == (2, 6)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(stage='layer1'), "`stage` is 'layer1'"),
        (dict(stage='layer5'), "`stage` is 'layer5'"),
        (dict(stride=3), '`stride` 3'),
        (dict(depth=20), '`depth` is 20'),
        (dict(num_blocks=0), '`num_blocks` is 0, expected 1 to 2'),
        (dict(num_blocks=3), '`num_blocks` is 3, expected 1 to 2'),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)
