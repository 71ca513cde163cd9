"""DG-VAE: identity and ambiguity in two Gaussian codes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import AlternatingReID
from mmvireid.models.batches import draw_cross_modality_triplets
from mmvireid.models.generators import GaussianCode
from mmvireid.models.layers import kept_statistics
from mmvireid.models.losses import SwapTable, swap_table
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, ReIDDataSample

#: What the decoder may rebuild.
RECONSTRUCTIONS = ('feature_map', 'image')
#: The codes of an image.
CODES = ('identity', 'ambiguous')
#: Terms that need the codes of the rebuilt maps.
RECOVERY_TERMS = ('cycle', 'identity_consistency')


@MODELS.register_module()
class DGVAE(AlternatingReID):
    r"""DG-VAE (Pu et al., ACM MM 2020).

    One iteration (symbols of the paper in brackets):

    1. extract a feature map per image, an extractor per modality      [f = E^V(x) or E^I(x)]
    2. encode it: identity code, prior = mixture over the identities    [d ~ N(mu_phi, sigma_phi)]
    3. task terms on the mean and on the sampled identity code          [Eqs. 16 to 18]
    4. prior terms on the identity code: divergence, large margin       [Eqs. 6 to 9]
    5. encode it again: ambiguous code, prior = standard Gaussian       [a, Eqs. 10, 11]
    6. swap codes within cross-modality triplets, decode                [G(d_j, a_i)]
    7. swap terms on the results: rebuild f, recover d and a and their
       identity                                                         [Eqs. 12 to 15]

    Three stages (``configs/_base_/schedules/dgvae_250e.py``): 1 to 4; then 5 to 7 with 1 to 4
    frozen; then everything [Eq. 19]. Test: the mean of the identity code.

    What the paper leaves open, and what is wrong as printed: ``configs/dgvae/README.md``.

    Args:
        extractor: Config of one modality's extractor.
        identity_encoder: Config of the encoder of identity codes [E^D, IDI]. Whether it normalises
            their means, ``normalize_mean``, is a part of the method: see the README.
        ambiguous_encoder: Config of the encoder of ambiguous codes [E^A, IAI].
        decoder: Config of the decoder [G]; sizes are taken from the others.
        classifier: Config of the identity classifier [D^C]; ``in_channels`` is taken from the code.
        mixture_prior: Config of the class means and margins; ``num_ids`` and ``code_size`` are
            taken from the others.
        input_size: Height and width of the images.
        losses: Config of the loss of every kind: ``identity``, ``triplet``, ``mixture``,
            ``margin``, ``gaussian``, ``reconstruction``, ``cycle``, ``identity_consistency``, and
            ``adversarial`` with a discriminator.
        loss_weights: Weights of the terms; see ``loss_vae`` and ``loss_discriminator``.
        sampled: Codes that are re-sampled before decoding: ``'identity'``, ``'ambiguous'``; the
            others are decoded from their means (an auto-encoder's way).
        reconstruct: ``'feature_map'`` or ``'image'`` (Table 3).
        discriminator: Config of a discriminator of what the decoder makes, ``None`` for none.
        **kwargs: As in :class:`BaseReID`.

    Raises:
        ValueError: If an argument is not allowed or the parts do not fit together.
    """

    updates = dict(vae=('autoencoder', 'classifier'))
    pair_terms = ('triplet', 'triplet_sampled', 'reconstruction', *RECOVERY_TERMS)
    diagnostics = ('largest_identity_log_var', 'largest_ambiguous_log_var')

    def __init__(
        self,
        extractor: dict,
        identity_encoder: dict,
        ambiguous_encoder: dict,
        decoder: dict,
        classifier: dict,
        mixture_prior: dict,
        input_size: Sequence[int],
        losses: dict[str, dict],
        loss_weights: dict[str, float | None],
        sampled: Sequence[str] = ('identity', 'ambiguous'),
        reconstruct: str = 'feature_map',
        discriminator: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        if reconstruct not in RECONSTRUCTIONS or not set(sampled) <= set(CODES):
            raise InvalidValueError(
                f'DGVAE: `reconstruct` is {reconstruct!r} and `sampled` {sampled!r}, expected one '
                f'of {RECONSTRUCTIONS} and some of {CODES}.'
            )
        self.check_needed_by('adversarial', discriminator=discriminator)
        self.input_size, self.sampled, self.reconstruct = tuple(input_size), sampled, reconstruct
        maps = self.add_twins('extractor', extractor, equal=False)
        channels = maps.out_channels
        identity = self.add_part('identity_encoder', identity_encoder, in_channels=channels)
        ambiguous = self.add_part('ambiguous_encoder', ambiguous_encoder, in_channels=channels)
        out = dict(out_channels=3, out_size=self.input_size)
        if reconstruct == 'feature_map':
            out_size = tuple(-(-length // maps.stride) for length in input_size)
            out = dict(out_channels=channels, out_size=out_size)
        size = identity.code_size
        self.add_part('decoder', decoder, code_size=size + ambiguous.code_size, **out)
        num_ids = self.add_part('classifier', classifier, in_channels=size).num_ids
        self.add_part('mixture_prior', mixture_prior, num_ids=num_ids, code_size=size)
        self.add_losses(losses)
        self.add_part('discriminator', discriminator, in_channels=out['out_channels'])
        if discriminator is not None:
            self.updates = self.updates | dict(discriminator=('discriminator',))

    def loss_vae(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample], shared: dict
    ) -> dict[str, Tensor]:
        """The whole auto-encoder's update, steps 1 to 7 of the class; see :meth:`BaseReID.loss`.

        Terms: ``identity``, ``triplet`` (means), ``identity_sampled``, ``triplet_sampled``
        (samples), ``mixture``, ``margin``, ``identity_gaussian`` (priors of the identity code),
        ``ambiguous`` (prior of the ambiguous code), ``reconstruction``, ``cycle``,
        ``identity_consistency`` and ``adversarial``.

        Raises:
            ValueError: If an image has no positive or negative of the other modality.
        """
        cpu_labels, is_visible = self.cpu_labels(data_samples)
        triplets = draw_cross_modality_triplets(cpu_labels, is_visible)
        labels = self.to_device(cpu_labels)
        feature_map = self.extract_maps(inputs)
        identity = self.identity_encoder(feature_map)
        d = identity.sample() if 'identity' in self.sampled else identity.mean
        terms = self.task_terms(identity.mean, d, labels, int(is_visible.sum()))
        terms |= self.prior_terms(identity, d, labels)
        judged = 'discriminator' in self.active_updates
        if judged or self.wants_any('ambiguous', 'reconstruction', *RECOVERY_TERMS):
            ambiguous = self.ambiguous_encoder(feature_map)
            a = ambiguous.sample() if 'ambiguous' in self.sampled else ambiguous.mean
            terms['ambiguous'] = self.losses['gaussian'](*ambiguous)
            terms['largest_ambiguous_log_var'] = ambiguous.log_var.abs().max()
            table = swap_table(*triplets, all_pairs=self.wants_any(*RECOVERY_TERMS))
            gives_visible = is_visible[table.ambiguous]  # a rebuilt map has the modality of its a
            table = SwapTable(*map(self.to_device, table))
            rebuilt = self.decoder(torch.cat([d[table.identity], a[table.ambiguous]], dim=1))
            target = self.target_of(feature_map, inputs)
            terms['reconstruction'] = self.losses['reconstruction'](
                rebuilt, target, table.ambiguous, self.to_device(gives_visible)
            )
            terms |= self.recovery_terms(rebuilt, gives_visible, d, a, labels, table)
            if judged:
                logits = self.discriminator(rebuilt)
                terms['adversarial'] = self.losses['adversarial'](logits, real=True)
                shared.update(real=target, fake=rebuilt.detach())
        return terms

    def task_terms(self, mean: Tensor, d: Tensor, labels: Tensor, num_visible: int) -> dict:
        """Classify and compare the means and the samples of the identity codes (N, D)."""
        terms = {}
        for suffix, code in (('', mean), ('_sampled', d)):
            if self.wants(f'identity{suffix}'):
                logits = self.classifier(code)
                terms[f'identity{suffix}'] = self.losses['identity'](logits, labels)
            if self.wants(f'triplet{suffix}'):
                terms[f'triplet{suffix}'] = self.losses['triplet'](code, labels, num_visible)
        return terms

    def prior_terms(self, identity: GaussianCode, d: Tensor, labels: Tensor) -> dict:
        """Compare identity codes, sampled ones too (N, D), with the prior of their label (N,)."""
        terms = dict(largest_identity_log_var=identity.log_var.abs().max())
        if self.wants_any('mixture', 'margin'):
            class_means, margins = self.mixture_prior()
            terms['mixture'] = self.losses['mixture'](*identity, d, class_means, labels)
            if self.wants('margin'):
                terms['margin'] = self.losses['margin'](*identity, d, class_means, margins, labels)
        if self.wants('identity_gaussian'):
            terms['identity_gaussian'] = self.losses['gaussian'](*identity)
        return terms

    def recovery_terms(
        self,
        rebuilt: Tensor,
        is_visible: Tensor,
        d: Tensor,
        a: Tensor,
        labels: Tensor,
        table: SwapTable,
    ) -> dict:
        """Encode what was rebuilt, and compare with the codes and identities that went in.

        Args:
            rebuilt: What the decoder made of the R rows of the table, (R, C, h, w).
            is_visible: Whether it is of a visible image, bool, (R,), on the CPU.
            d: Identity codes (N, D) of the batch.
            a: Ambiguous codes (N, D') of the batch.
            labels: Identity of every image, (N,).
            table: Which codes went in.
        """
        if not self.wants_any(*RECOVERY_TERMS):
            return {}
        # real maps alone shape the statistics that evaluation will use
        with kept_statistics(self):
            rebuilt_map = self.extract_rebuilt(rebuilt, is_visible)
            d_hat = self.identity_encoder(rebuilt_map).mean
            a_hat = self.ambiguous_encoder(rebuilt_map).mean
        cycle, consistency = self.losses['cycle'], self.losses['identity_consistency']
        return dict(
            cycle=cycle(d_hat, d[table.identity], table.weights)
            + cycle(a_hat, a[table.ambiguous], table.weights),
            identity_consistency=consistency(
                self.classifier(d_hat), labels[table.identity], table.weights
            ),
        )

    def loss_discriminator(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample], shared: dict
    ) -> dict[str, Tensor]:
        """Terms ``discriminator_real`` and ``discriminator_fake``; see :meth:`BaseReID.loss`."""
        judge = self.losses['adversarial'].terms
        return judge('discriminator', self.discriminator, shared['real'], shared['fake'])

    def extract_maps(self, inputs: dict[str, Tensor]) -> Tensor:
        """Feature maps of both modalities (N, C, h, w), visible first; one may be absent."""
        return self.run_twins('extractor', inputs)

    def target_of(self, feature_map: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        """What shall be rebuilt (N, C, h, w): no gradient, or maps would shrink to make it easy."""
        if self.reconstruct == 'feature_map':
            return feature_map.detach()
        return torch.cat([inputs[key] for key in MODALITIES])

    def extract_rebuilt(self, rebuilt: Tensor, is_visible: Tensor) -> Tensor:
        """Feature maps (R, C, h, w) of what the decoder made; an image is extracted again."""
        if self.reconstruct == 'feature_map':
            return rebuilt
        order = (~is_visible).byte().argsort(stable=True)  # visible first
        parts = rebuilt[self.to_device(order)].tensor_split([int(is_visible.sum())])
        return self.extract_maps(dict(zip(MODALITIES, parts)))[self.to_device(order.argsort())]

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Means of the identity codes (N, D), see :meth:`BaseReID.extract`."""
        return self.identity_encoder(self.extract_maps(inputs)).mean

    def extract_codes(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Both codes of every image, for analysis.

        Args:
            inputs: Normalised images per modality, (N, 3, H, W).

        Returns:
            Means ``identity`` (N, D) and ``ambiguous`` (N, D'), visible images first.
        """
        return {name: code.mean for name, code in self.extract_posteriors(inputs).items()}

    def extract_posteriors(self, inputs: dict[str, Tensor]) -> dict[str, GaussianCode]:
        """As :meth:`extract_codes`, with what the encoders say about the variances."""
        feature_map = self.extract_maps(inputs)
        return dict(
            identity=self.identity_encoder(feature_map),
            ambiguous=self.ambiguous_encoder(feature_map),
        )
