import pytest
import torch

from mmvireid.models.batches import view_rows, with_view
from mmvireid.structures import ReIDDataSample


def batch():
    """Two visible images in two views, and three infrared ones in one."""
    names = ['visible'] * 2 + ['exchanged'] * 2 + ['infrared'] * 3
    samples = [
        ReIDDataSample(
            metainfo={} if view == 'infrared' else dict(view=view),
            modality='infrared' if view == 'infrared' else 'visible',
            gt_label=label,
        )
        for view, label in zip(names, (4, 7, 4, 7, 4, 7, 7))
    ]
    return dict(visible=torch.zeros(4, 3, 2, 1), infrared=torch.ones(3, 3, 2, 1)), samples


def test_rows_of_views():
    rows = view_rows(batch()[1])
    assert rows == dict(visible=slice(0, 2), exchanged=slice(2, 4), infrared=slice(4, 7))


def test_a_method_can_add_a_view():
    inputs, samples = batch()
    made = torch.full((2, 3, 2, 1), 5.0, requires_grad=True)
    larger, more = with_view(inputs, samples, 'generated', made, of='visible')
    assert list(larger) == ['visible', 'infrared']
    rows = view_rows(more)
    assert list(rows) == ['visible', 'exchanged', 'generated', 'infrared']
    images = torch.cat(list(larger.values()))
    assert torch.equal(images[rows['generated']], made) and images.requires_grad
    assert torch.equal(images[rows['infrared']], inputs['infrared'])
    labels = torch.tensor([sample.gt_label for sample in more])
    assert labels[rows['generated']].tolist() == [4, 7]
    assert more[4].modality == 'visible'
    assert len(samples) == 7 and samples[0].view == 'visible'  # the batch is left alone


def test_of_what_there_is_not_no_view_is_made():
    with pytest.raises(KeyError, match=r"`of` is 'grey', expected one of the views \['visible'"):
        with_view(*batch(), 'generated', torch.zeros(2, 3, 2, 1), of='grey')
