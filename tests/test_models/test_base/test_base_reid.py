import pytest
import torch

from mmvireid.models.base import BaseReID


class Toy(BaseReID):
    """Feature = mean colour; terms are constants."""

    def loss(self, inputs, data_samples):
        return dict(identity=torch.tensor(3.0), triplet=torch.tensor(5.0))

    def extract(self, inputs):
        return torch.cat([images.mean((2, 3)) for images in inputs.values()])


def test_terms_are_weighed_and_zero_weights_left_out(training_batch):
    toy = Toy(loss_weights=dict(identity=2.0, triplet=0.0))
    losses = toy(**toy.data_preprocessor(training_batch()), mode='loss')
    assert {key: value.item() for key, value in losses.items()} == {'loss_identity': 6.0}
    assert toy.wants('identity')
    assert not toy.wants('triplet')


def test_an_undeclared_term_is_named():
    with pytest.raises(KeyError, match='triplet'):
        Toy(loss_weights=dict(identity=1.0)).weigh(dict(triplet=torch.tensor(1.0)))


def test_predict_attaches_normalised_features_to_their_samples(training_batch):
    toy = Toy(loss_weights={}, flip_test=True)
    batch = training_batch()
    samples = toy.test_step(batch)
    means = toy.data_preprocessor.normalize(batch['inputs']).mean((2, 3))
    expected = means / means.norm(dim=1, keepdim=True)
    torch.testing.assert_close(torch.stack([s.feature for s in samples]), expected)
    # a mean does not see the mirror
    torch.testing.assert_close(torch.stack([s.flip_feature for s in samples]), expected)


def test_features_are_left_as_long_as_they_are_if_asked(training_batch):
    toy, batch = Toy(loss_weights={}, flip_test=True, unit_features=False), training_batch()
    samples = toy.test_step(batch)
    means = toy.data_preprocessor.normalize(batch['inputs']).mean((2, 3))
    for key in ('feature', 'flip_feature'):
        torch.testing.assert_close(torch.stack([s.get(key) for s in samples]), means)


def test_without_flip_test_no_mirrored_feature(training_batch):
    samples = Toy(loss_weights={}).test_step(training_batch())
    assert 'flip_feature' not in samples[0]


def test_cudnn_does_not_try_algorithms_in_evaluation(training_batch, monkeypatch):
    """There the shares of the modalities vary, and each new size would cost about a second."""
    seen = []

    class Watching(Toy):
        def extract(self, inputs):
            seen.append(torch.backends.cudnn.benchmark)
            return super().extract(inputs)

    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', True)
    Watching(loss_weights={}).test_step(training_batch())
    assert seen == [False]
    assert torch.backends.cudnn.benchmark


def test_labels_follow_the_samples(training_batch):
    labels = Toy(loss_weights={}).gt_labels(training_batch(2, 2)['data_samples'])
    assert labels.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert labels.dtype == torch.int64


class Comparing(Toy):
    pair_terms = ('triplet',)


@pytest.mark.parametrize('weights', [dict(triplet=0.5), dict(triplet=0.0), dict(identity=1.0)])
def test_labels_without_pairs_are_refused_where_images_are_compared(weights, training_batch):
    toy = Comparing(loss_weights=weights)
    assert toy.gt_labels(training_batch(2, 1)['data_samples']).tolist() == [0, 1, 0, 1]
    one_identity = training_batch(1, 4)['data_samples']
    one_modality = training_batch(2, 2)['data_samples'][:4]
    assert toy.needs_pairs == ('triplet' in weights and weights['triplet'] > 0)
    for samples in (one_identity, one_modality):
        if toy.needs_pairs:
            with pytest.raises(ValueError, match='draws at least two identities, each in both'):
                toy.gt_labels(samples)
        else:
            assert len(toy.gt_labels(samples)) == len(samples)


def test_bad_arguments_are_named(training_batch):
    with pytest.raises(ValueError, match='`loss_weights` is'):
        Toy(loss_weights=dict(identity=-1.0))
    with pytest.raises(ValueError, match="`mode` is 'guess'"):
        Toy(loss_weights={})({}, mode='guess')


def test_views_are_those_of_the_data_preprocessor():
    model = Toy(dict(size=1.0))
    assert model.views == dict(visible='visible', infrared='infrared')
    views = dict(visible={}, grey=dict(modality='visible'))
    model = Toy(dict(size=1.0), data_preprocessor=dict(views=views))
    assert model.views == dict(visible='visible', grey='visible', infrared='infrared')
    model.check_views('groups', ('visible', 'infrared', 'grey'))
    for names, one_modality in (
        (('visible', 'gray'), False),
        (('grey', 'grey'), False),
        (('grey', 'infrared'), True),
    ):
        with pytest.raises(ValueError, match=r'Toy: `groups` is .* expected different views'):
            model.check_views('groups', names, one_modality)


def test_several_stems_need_as_many_views(training_batch):
    """Without them each stem would be given a part of the batch."""
    views = dict(visible={}, infrared={}, second=dict(modality='visible'))
    toy = Toy(loss_weights={}, data_preprocessor=dict(views=views))
    toy.backbone = torch.nn.Identity()
    toy.check_declarations()
    toy.backbone.num_stems = 1  # which several views may share
    toy.check_declarations()
    toy.backbone.num_stems = 2
    with pytest.raises(ValueError, match='Toy: `backbone.num_stems` is 2 with the views'):
        toy.check_declarations()
