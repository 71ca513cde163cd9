import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmvireid.models.batches import identity_centers, modality_centers, split_modalities

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven
NUM_VISIBLE = 5


def draw(seed=0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), 3, generator=g, dtype=dtype)


def test_equals_the_mean_of_every_identity():
    x = draw()
    centers = modality_centers(x, LABELS, NUM_VISIBLE)
    assert centers.labels.tolist() == LABELS[:NUM_VISIBLE].tolist()
    for row, label in enumerate(LABELS[:NUM_VISIBLE]):
        visible = [x[i] for i in range(0, 5) if LABELS[i] == label]
        infrared = [x[i] for i in range(5, 11) if LABELS[i] == label]
        torch.testing.assert_close(centers.visible[row], sum(visible) / len(visible))
        torch.testing.assert_close(centers.infrared[row], sum(infrared) / len(infrared))
        assert centers.weights[row].item() == 1 / len(visible)


def test_weights_count_every_identity_once():
    centers = modality_centers(draw(), LABELS, NUM_VISIBLE)
    assert centers.weights.sum().item() == pytest.approx(3)
    assert (centers.weights * centers.labels).sum().item() == pytest.approx(4 + 9 + 2)


def test_autocast_keeps_float32():
    x = draw(dtype=torch.float32)
    expected = modality_centers(x, LABELS, NUM_VISIBLE)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        centers = modality_centers(x, LABELS, NUM_VISIBLE)
    assert centers.visible.equal(expected.visible)
    assert centers.infrared.equal(expected.infrared)


def test_no_value_is_read_back_from_the_device():
    """A fake tensor has no values: to ask for one raises, where a GPU would wait."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        labels = mode.from_tensor(LABELS)
        centers = modality_centers(mode.from_tensor(draw()), labels, NUM_VISIBLE)
    assert centers.infrared.shape == (5, 3)


@pytest.mark.parametrize('num_visible', [0, 11, 12, -1])
def test_a_missing_modality_is_named(num_visible):
    message = f'`num_visible` is {num_visible} in a batch of 11 images, expected from 1 to 10'
    with pytest.raises(ValueError, match=message):
        split_modalities(LABELS, num_visible)
    with pytest.raises(ValueError, match=message):
        modality_centers(draw(), LABELS, num_visible)


def test_centres_over_both_modalities():
    x = draw()
    centers, weights = identity_centers(x, LABELS)
    for row, label in enumerate(LABELS):
        torch.testing.assert_close(centers[row], x[label == LABELS].mean(0))
        assert weights[row].item() == 1 / (label == LABELS).sum()
    assert weights.sum().item() == pytest.approx(3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert identity_centers(x.float(), LABELS)[0].dtype == torch.float32
