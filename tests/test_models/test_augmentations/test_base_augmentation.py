import pytest
import torch

from mmvireid.models.augmentations import BaseAugmentation
from mmvireid.structures import ReIDDataSample


class Ones(BaseAugmentation):
    """Images of ones; notes whose samples it was given."""

    spaces = ('raw',)

    def change(self, images, samples):
        self.given = [sample.name for sample in samples]
        return torch.ones_like(images)


def run(prob, count=400):
    torch.manual_seed(0)
    step = Ones(prob)
    samples = [ReIDDataSample(metainfo=dict(name=str(i))) for i in range(count)]
    images = torch.zeros(count, 3, 2, 1)
    changed = step(images, samples)
    assert images.sum() == 0  # the input is left alone
    rows = changed.flatten(1)
    assert (rows.amax(1) == rows.amin(1)).all()  # whole images
    found = [str(i) for i in rows[:, 0].nonzero().flatten().tolist()]
    assert found == getattr(step, 'given', [])
    return len(found) / count


def test_each_image_is_changed_with_the_probability():
    assert run(0.0) == 0
    assert run(1.0) == 1
    assert run(0.3) == pytest.approx(0.3, abs=0.07)  # 3 standard deviations


def test_draws_are_those_of_torchs_seed():
    images = torch.zeros(64, 3, 1, 1)
    samples = [ReIDDataSample(metainfo=dict(name=''))] * 64
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(Ones(0.5)(images, samples))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(prob=1.5), 'Ones: `prob` is 1.5'),
        (dict(space='normalized'), r"Ones: `space` is 'normalized', expected one of \('raw',\)"),
    ],
)
def test_what_is_not_allowed_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Ones(**arguments)
