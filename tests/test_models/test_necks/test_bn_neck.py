import torch

from mmvireid.models.necks import BNNeck


def test_normalises_over_the_batch_and_has_no_shift():
    neck = BNNeck(6, pooling=dict(type='AveragePooling'))
    embedding, feature = neck(torch.randn(16, 6, 3, 2) * 3 + 5)
    centred = (embedding - embedding.mean(0)) / (embedding.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(feature, centred * neck.bn.weight)
    assert [name for name, p in neck.named_parameters() if p.requires_grad] == ['bn.weight']


def test_scale_starts_near_one():
    weight = BNNeck(4096, pooling=dict(type='GeMPooling')).bn.weight
    assert abs(weight.mean().item() - 1) < 1e-3
    assert abs(weight.std().item() - 0.01) < 1e-3


def test_a_shift_may_be_learned():
    neck = BNNeck(6, pooling=dict(type='AveragePooling'), bias=True)
    assert [name for name, p in neck.named_parameters() if p.requires_grad] == [
        'bn.weight',
        'bn.bias',
    ]
    assert neck.bn.bias.eq(0).all()
