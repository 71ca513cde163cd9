"""The base of every method: one loss, one optimiser, one retrieval feature."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidValueError, UnknownNameError
from mmvireid.models.base.parts import PartBuilder
from mmvireid.models.batches import check_cross_modality_batch, paired_labels
from mmvireid.models.layers import copy_to, untuned_convolutions
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, VISIBLE, ReIDDataSample


class BaseReID(PartBuilder, BaseModel):
    """Base class of the methods.

    A method implements two things:

    - :meth:`loss`: a dict of named, unweighted, scalar *terms*;
    - :meth:`extract`: retrieval features of a batch.

    Its parts are built by :class:`PartBuilder`'s methods, or as attributes.

    The weights of the terms stand in the config and are applied here, so that a method never
    multiplies by a weight itself. A term of weight 0 is neither computed (the method asks
    :meth:`wants` where that saves work) nor logged.

    Args:
        loss_weights: Factor of every term; its keys are the terms that the method may return.
            ``None`` takes one out again that a base config has.
        flip_test: Whether :meth:`predict` also extracts the features of the mirrored images.
        unit_features: Whether retrieval features are L2-normalised, or left as long as they are:
            for Euclidean distances of them, and to add those of mirrored images as they are
            (``distance`` and ``flip_sum`` of the metrics).
        channels_last: Whether parameters are kept in channels-last memory format; set it together
            with the data preprocessor's switch of the same name.
        data_preprocessor: Config of the data preprocessor.
        init_cfg: As in MMEngine.

    Attributes:
        diagnostics (tuple[str, ...]): Names of values that are logged beside the terms, unweighted
            and without a gradient; none of them may contain "loss", which MMEngine would add up.
        pair_terms (tuple[str, ...]): Terms that compare images of the same and of different
            identities; see :attr:`needs_pairs`.
        blocks (tuple[str, ...]): Names of the parts of a batch that a ``BlockBatchSampler`` draws;
            ``inputs`` and ``data_samples`` are then dictionaries by these names. None as a rule.

    Raises:
        ValueError: If a weight is negative.
    """

    diagnostics: tuple[str, ...] = ()
    pair_terms: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()

    def __init__(
        self,
        loss_weights: dict[str, float | None],
        flip_test: bool = False,
        unit_features: bool = True,
        channels_last: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = dict(type='ReIDDataPreprocessor', channels_last=channels_last)
        super().__init__(MODELS.build(preprocessor | (data_preprocessor or {})), init_cfg)
        loss_weights = {t: weight for t, weight in loss_weights.items() if weight is not None}
        negative = {term: weight for term, weight in loss_weights.items() if weight < 0}
        if negative:
            raise InvalidValueError(
                f'{type(self).__name__}: `loss_weights` is {negative}, expected no negative weight.'
            )
        self.loss_weights = loss_weights
        self.flip_test, self.unit_features = flip_test, unit_features
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def to(self, *args, **kwargs) -> 'BaseReID':
        """Move the model, and keep its parameters in the wanted memory format."""
        return super().to(*args, **kwargs).apply_memory_format()

    def apply_memory_format(self) -> 'BaseReID':
        """Lay the convolutions' weights out as ``channels_last`` says."""
        for parameter in self.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=self.memory_format)
        return self

    @abstractmethod
    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms of one training batch.

        Args:
            inputs: Normalised images per modality, each (PK, 3, H, W), visible first; VPK where
                the data preprocessor makes V views of them, one view after the other.
            data_samples: The samples in the same order, 2PK with one view of each.

        Returns:
            Unweighted scalar tensors by term name; :attr:`diagnostics` may stand among them.
        """

    @abstractmethod
    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Extract retrieval features.

        Args:
            inputs: Normalised images per modality, (N, 3, H, W); a modality may be absent.

        Returns:
            Features, not normalised, float32, shape (N, D), visible images first.
        """

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[ReIDDataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict | list[ReIDDataSample] | Tensor:
        """Dispatch on ``mode``, as MMEngine asks.

        Args:
            inputs: Normalised images per modality.
            data_samples: The samples in the same order; not needed in mode ``'tensor'``.
            mode: ``'loss'`` (weighted terms), ``'predict'`` (samples with features) or
                ``'tensor'`` (features).

        Raises:
            ValueError: If ``mode`` is none of these.
        """
        if mode == 'loss':
            return self.weigh(self.loss(inputs, data_samples))
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            features = self.extract(inputs)
            return unit_rows(features) if self.unit_features else features
        raise InvalidValueError(
            f"{type(self).__name__}.forward: `mode` is {mode!r}, expected 'loss', 'predict' or "
            "'tensor'."
        )

    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Attach retrieval features (D,) to the samples."""
        with untuned_convolutions():
            for sample, feature in zip(data_samples, self(inputs)):
                sample.feature = feature
            if self.flip_test:
                mirrored = {key: images.flip(3) for key, images in inputs.items()}
                for sample, feature in zip(data_samples, self(mirrored)):
                    sample.flip_feature = feature
        return data_samples

    def wants(self, term: str) -> bool:
        """Whether a term has a weight other than 0, that is: is worth computing.

        Raises:
            KeyError: If no such term is declared.
        """
        self._check_weights_of({term})
        return self.loss_weights[term] != 0

    def _check_weights_of(self, terms: set[str]) -> None:
        unknown = sorted(terms - set(self.loss_weights))
        if unknown:
            raise UnknownNameError(
                f'{type(self).__name__}: no weight for the terms {unknown}; `loss_weights` has '
                f'{sorted(self.loss_weights)}.'
            )

    def wants_any(self, *terms: str) -> bool:
        """Whether one of these terms is worth computing, see :meth:`wants`."""
        return any(self.wants(term) for term in terms)

    @property
    def needs_pairs(self) -> bool:
        """Whether each image of a batch needs one of its identity and one of another.

        Both in the other modality; without them losses that compare images would go on, and mean
        nothing. So it is if one of :attr:`pair_terms` has a weight other than 0.
        """
        return any(self.loss_weights.get(term) for term in self.pair_terms)

    def weigh(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """Multiply terms by their weights.

        Args:
            terms: Unweighted scalars by name.

        Returns:
            ``{'loss_<term>': weight * value}``, scalars, without the terms of weight 0, and the
            diagnostics as they are.

        Raises:
            KeyError: If a term has no declared weight.
        """
        self._check_weights_of(set(terms) - set(self.diagnostics))
        weighted = {
            f'loss_{term}': self.loss_weights[term] * value
            for term, value in terms.items()
            if term in self.loss_weights and self.wants(term)
        }
        return weighted | {key: terms[key].detach() for key in self.diagnostics if key in terms}

    def check_declarations(self) -> None:
        """Check what class and config declare of a training, as far as that needs no batch.

        Raises:
            ValueError: If the name of a diagnostic has "loss" in it, or the backbone has several
                stems for a modality and not as many views of it.
        """
        stems = getattr(getattr(self, 'backbone', None), 'num_stems', 1)
        counts = Counter(self.views.values())
        if stems > 1 and any(counts[modality] != stems for modality in MODALITIES):
            raise InvalidValueError(
                f'{type(self).__name__}: `backbone.num_stems` is {stems} with the views '
                f'{self.views} of `data_preprocessor.views`, expected as many of each modality.'
            )
        summed = sorted(name for name in self.diagnostics if 'loss' in name)
        if summed:
            raise InvalidValueError(
                f'{type(self).__name__}: `diagnostics` has {summed}, expected names without '
                '"loss": MMEngine would add their values to the loss.'
            )

    def rehearse(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> None:
        """Compute and weigh the terms of a batch, see :meth:`loss`, and do nothing with them.

        Raises:
            KeyError: If a term has no declared weight.
        """
        self.weigh(self.loss(inputs, data_samples))

    def gt_labels(self, data_samples: list[ReIDDataSample]) -> Tensor:
        """Training labels of a batch on the model's device, int64, shape (N,).

        Raises:
            ValueError: As in :meth:`cpu_labels`.
        """
        return self.to_device(self.cpu_labels(data_samples)[0])

    def cpu_labels(self, data_samples: list[ReIDDataSample]) -> tuple[Tensor, Tensor]:
        """What can be asked of a batch without waiting for a GPU.

        Returns:
            Training labels, int64, and whether each image is visible, bool, both (N,), on the CPU.

        Raises:
            ValueError: If the method :attr:`needs_pairs` and the batch lacks them.
        """
        labels = torch.tensor([sample.gt_label for sample in data_samples])
        is_visible = torch.tensor([sample.modality == VISIBLE for sample in data_samples])
        if self.needs_pairs:
            check_cross_modality_batch(labels, is_visible)
        return labels, is_visible

    @property
    def views(self) -> dict[str, str]:
        """Views of the training images by name, and their modality, in the order of a batch."""
        views = getattr(self.data_preprocessor, 'views', None)
        if not views:
            return {modality: modality for modality in MODALITIES}
        return {view.name: view.modality for own in views.values() for view in own}

    def check_views(self, argument: str, names: Sequence[str], one_modality: bool = False) -> None:
        """Make sure that there are the views that a method's argument names.

        Args:
            argument: Its name, for the message.
            names: What it names, all different.
            one_modality: Whether these have to be views of one modality, whose rows correspond.

        Raises:
            ValueError: If a view is missing, or of another modality.
        """
        modalities = {self.views.get(name) for name in names}
        lacking = None in modalities or len(set(names)) < len(names)
        if lacking or (one_modality and len(modalities) > 1):
            kind = ' of one modality' if one_modality else ''
            raise InvalidValueError(
                f'{type(self).__name__}: `{argument}` is {tuple(names)}, expected different '
                f'views{kind} of `data_preprocessor.views`: {self.views}.'
            )

    def pair_labels(self, data_samples: list[ReIDDataSample]) -> Tensor:
        """Training labels of pairs, row i of both modalities, int64, shape (N / 2,), on the CPU.

        Raises:
            ValueError: If the modalities do not agree, or have several views; and as in
                :meth:`cpu_labels`.
        """
        if len(self.views) > len(MODALITIES):
            raise InvalidValueError(
                f'{type(self).__name__}: `data_preprocessor.views` are {self.views}, expected one '
                'of each modality: the images of the two are paired row by row.'
            )
        return paired_labels(*self.cpu_labels(data_samples))

    def to_device(self, values: Tensor) -> Tensor:
        """Copy a CPU tensor to the model's device, without waiting for a GPU."""
        return copy_to(self.data_preprocessor.device, values)
