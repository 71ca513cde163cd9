import torch

from mmvireid.models.necks import PairedBNNeck


def test_both_maps_of_an_image_make_its_feature():
    torch.manual_seed(0)
    neck = PairedBNNeck(6, pooling=dict(type='GeMPooling', p=3.0))
    images, edges = torch.rand(2, 5, 6, 3, 2)
    embedding, feature = neck.eval()(torch.cat([images, edges]))
    for i in range(5):
        pooled = [(maps[i].pow(3).mean((1, 2)) + 1e-12).pow(1 / 3) for maps in (images, edges)]
        expected = neck.linear.weight @ torch.cat(pooled) + neck.linear.bias
        torch.testing.assert_close(embedding[i], expected)
    torch.testing.assert_close(feature, neck.bn(embedding))
    assert not neck.bn.bias.requires_grad
