import torch
import torch.nn.functional as F

from mmvireid.models.necks import ModalityBNNeck


def build():
    torch.manual_seed(0)
    return ModalityBNNeck(4, pooling=dict(type='AveragePooling'))


def test_each_modality_is_normalised_over_its_own_images():
    neck, maps = build(), torch.randn(7, 4, 3, 2)
    maps[5:] += 3
    embedding, feature = neck(maps, [5, 2])
    torch.testing.assert_close(embedding, maps.mean((2, 3)))
    expected = [
        F.batch_norm(rows, None, None, neck.necks[key].bn.weight, training=True)
        for key, rows in zip(('visible', 'infrared'), embedding.split([5, 2]))
    ]
    torch.testing.assert_close(feature, torch.cat(expected))
    for part in feature.split([5, 2]):
        torch.testing.assert_close(part.mean(0), torch.zeros(4), atol=1e-5, rtol=0)


def test_a_modality_may_be_absent_and_the_other_does_not_care():
    neck, maps = build(), torch.randn(7, 4, 3, 2)
    neck(maps, [5, 2])  # statistics of both
    neck.eval()
    _, both = neck(maps, [5, 2])
    for counts, rows in (([5, 0], slice(0, 5)), ([0, 2], slice(5, 7))):
        torch.testing.assert_close(neck(maps[rows], counts)[1], both[rows])
    assert not torch.allclose(neck(maps, [0, 7])[1], neck(maps, [7, 0])[1])
