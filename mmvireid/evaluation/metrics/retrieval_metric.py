"""Collects features over a test loop and hands them to a protocol."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from mmvireid.errors import InvalidTypeError
from mmvireid.evaluation.feature_set import COLUMNS, FeatureSet, describe_source, npz_path
from mmvireid.evaluation.functional import (
    DISTANCES,
    FLIP_SUMS,
    RERANKINGS,
    chance_level,
    evaluate,
    fuse_flip,
    name_reranking,
)
from mmvireid.evaluation.protocols import (
    BaseProtocol,
    CSVProtocol,
    LLCMProtocol,
    RegDBProtocol,
    RetrievalSetting,
    SYSUProtocol,
)
from mmvireid.evaluation.protocols.retrieval_setting import check_choices
from mmvireid.evaluation.query_results import save_queries
from mmvireid.evaluation.report import FIGURES, Report, check_figures, write_trials
from mmvireid.evaluation.table import format_table
from mmvireid.registry import METRICS, PROTOCOLS
from mmvireid.storage import check_output, new_file
from mmvireid.storage.files import disk_failure

FLIP = '-flip'


@METRICS.register_module()
class RetrievalMetric(BaseMetric):
    """Figures of any registered protocol.

    A subclass that names its ``protocol_class``, such as ``SYSUMetric``, takes the protocol's
    arguments directly, and nothing else differs.

    The result's keys name setting and figure, such as ``sysu/all-1shot/R1``, in percent, mean over
    trials. Features fused with those of the mirrored images (where the model gives
    ``flip_feature``) and re-ranked results have keys of their own: ``sysu-flip/all-1shot/R1``,
    ``sysu-rerank/...`` or ``sysu-aim/...``, ``sysu-flip-rerank/...``.

    After an evaluation ``report`` holds every trial, and :meth:`table` the text to print. Results
    do not depend on the number of processes: images are sorted by name and counted once. On a disk
    that takes no more they are not lost: what could not be written is in ``unwritten``, and warned
    of.

    Args:
        protocol: Config of the protocol, ``dict(type='SYSUProtocol', modes=['all'])``; not in a
            subclass with a ``protocol_class``.
        distance: ``'cosine'`` or ``'euclidean'``. Both rank alike unless the model leaves features
            as long as they are (``unit_features=False``).
        flip_sum: How features are fused with those of mirrored images, see :func:`fuse_flip`;
            ``'raw'`` likewise needs a model with ``unit_features=False`` to differ.
        rerank: Whether to report re-ranking too, ``'k-reciprocal'`` (also ``True``) or ``'aim'``,
            see :func:`evaluate`.
        save_features: Write the features to this ``.npz`` file.
        out_dir: Write ``<protocol>_trials.csv`` (a row per trial), ``<protocol>_report.json``
            (results with their provenance) and ``<protocol>_queries.npz`` (what every query got)
            into this folder.
        provenance: What else the report should say about these features, such as the checkpoint.
        prefix: Stands before every key and in the names of the files, to tell metrics of one
            protocol apart.
        collect_device: ``'cpu'`` or ``'gpu'``, for collecting from several processes.
        collect_dir: Folder for collecting on ``'cpu'``.
        scores: Names of the figures to return and to print: ``'mAP'``, ``'mINP'`` and ``'R<k>'``,
            the CMC at rank k.
        **arguments: Of ``protocol_class``, such as ``modes``; wrong ones fail here, before any
            training.

    Raises:
        ValueError, TypeError: If an argument is unknown or not allowed.

    Example:
        >>> RetrievalMetric(dict(type='RegDBProtocol'), scores=['R1', 'mAP']).result_keys()[:2]
        ['regdb/visible-to-infrared/R1', 'regdb/visible-to-infrared/mAP']
    """

    protocol_class: type[BaseProtocol] | None = None
    default_prefix = ''  # the keys already start with the protocol

    def __init_subclass__(cls) -> None:
        """Spell out what ``arguments`` stand for: a config's keys are checked against it."""
        super().__init_subclass__()
        if cls.protocol_class is None:
            return
        own, protocol = signature(cls.__init__), signature(cls.protocol_class)
        hidden = ('self', 'protocol', 'arguments')
        named = [p for p in own.parameters.values() if p.name not in hidden]
        keywords = [p.replace(kind=p.KEYWORD_ONLY) for p in protocol.parameters.values()]
        cls.__signature__ = own.replace(parameters=[*named, *keywords])

    def __init__(
        self,
        protocol: dict | None = None,
        distance: str = 'cosine',
        flip_sum: str = 'unit',
        rerank: bool | Literal['k-reciprocal', 'aim'] = False,
        save_features: str | None = None,
        out_dir: str | None = None,
        provenance: dict | None = None,
        prefix: str | None = None,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
        scores: Sequence[str] = FIGURES,
        **arguments: Any,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        name = type(self).__name__
        check_choices(name, 'distance', [distance], DISTANCES)
        check_choices(name, 'flip_sum', [flip_sum], FLIP_SUMS)
        self.max_rank = check_figures(name, scores)
        self.scores = tuple(scores)
        if save_features:
            check_output(npz_path(save_features))
        self.protocol = self._build_protocol(protocol, arguments)
        self.distance = distance
        self.flip_sum = flip_sum
        self.reranking = name_reranking(name, rerank)
        self.save_features = save_features
        self.out_dir = out_dir
        self.provenance = provenance or {}
        self.report: Report = {}
        self.feature_set: FeatureSet | None = None
        self.settings: list[RetrievalSetting] = []
        #: What the files are named after, and what could not be written of the last evaluation.
        self.file_stem = '_'.join(filter(None, (prefix, self.protocol.name)))
        self.unwritten: list[str] = []

    def _build_protocol(self, protocol: dict | None, arguments: dict[str, Any]) -> BaseProtocol:
        name, own = type(self).__name__, self.protocol_class
        allowed = () if own is None else signature(own).parameters
        unknown = sorted(set(arguments) - set(allowed))
        if unknown:
            known = ', '.join(signature(type(self)).parameters)
            raise InvalidTypeError(
                f'{name}: `{unknown[0]}` is {arguments[unknown[0]]!r}, expected one of the '
                f'arguments {known}.'
            )
        if (own is None) != isinstance(protocol, dict):
            expected = "dict(type='<protocol>', ...)" if own is None else f'no such key: {own.name}'
            raise InvalidTypeError(f'{name}: `protocol` is {protocol!r}, expected {expected}.')
        return PROTOCOLS.build(protocol) if own is None else own(**arguments)

    @property
    def dataset_meta(self) -> dict | None:
        """Metainfo of the data set; MMEngine sets it before anything runs.

        Raises:
            ValueError: When it is set to that of data which the protocol is not for.
        """
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        self.protocol.check_data(dataset_meta)
        self._dataset_meta = dataset_meta

    def result_keys(self, flip: bool = False) -> list[str]:
        """Keys of the results, in their order, before there are any.

        Args:
            flip: Whether the model gives features of the mirrored images, too.
        """
        return [
            '/'.join(filter(None, (self.prefix, _vary(name, variant, suffix), figure)))
            for variant in (('', FLIP) if flip else ('',))
            for suffix in self._suffixes
            for name in self.protocol.setting_names
            for figure in self.scores
        ]

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep one entry per image.

        Args:
            data_batch: Not used.
            data_samples: Fields of :class:`~mmvireid.structures.ReIDDataSample` with a
                ``feature`` of shape (D,) and, optionally, a ``flip_feature``.
        """
        for key in ('feature', 'flip_feature'):
            if key in data_samples[0]:
                features = _to_numpy([sample[key] for sample in data_samples])
                data_samples = [{**s, key: row} for s, row in zip(data_samples, features)]
        kept = (*COLUMNS.values(), 'feature', 'flip_feature')
        self.results += [{key: s[key] for key in kept if key in s} for s in data_samples]

    def evaluate(self, size: int) -> dict[str, float]:
        """Evaluate what all processes have collected, see :meth:`compute_metrics`.

        MMEngine cuts the collected list to ``size``, which would drop the padding that gives all
        processes equally many images if it stood at the end. It need not: a batch is ordered by
        modality. So nothing is cut, and images that came twice are found by their names.

        Args:
            size: Number of images of the data set.
        """
        return super().evaluate(size + get_world_size())

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Evaluate images, each once, however often it is there.

        Args:
            results: Entries of :meth:`process`.

        Returns:
            Figures in percent by setting and name.
        """
        self.feature_set = _collect(results)
        self.unwritten = []
        if self.save_features:
            self._try(self._save_features, self.save_features)
        self.settings = self.protocol.settings(self.feature_set)
        variants = {'': self.feature_set}
        if self.feature_set.flip_features is not None:
            variants[FLIP] = fuse_flip(self.feature_set, self.flip_sum)
        self.report = {}
        for variant, feature_set in variants.items():
            for suffix in self._suffixes:
                rerank = self.reranking if suffix else False
                report = evaluate(feature_set, self.settings, self.distance, rerank, self.max_rank)
                for name, result in report.items():
                    self.report[_vary(name, variant, suffix)] = result
        if self.out_dir:
            self._try(self._write, Path(self.out_dir))
        return {
            f'{setting}/{name}': float(value.mean())
            for setting, result in self.report.items()
            for name, value in result.figures(self.scores).items()
        }

    def table(self) -> str:
        """The last evaluation as a text table, with the chance level and the test data below.

        Training data of another name are said, too.
        """
        chance = chance_level(self.feature_set, self.settings, self.max_rank)
        table = format_table(self.report, chance, self.scores)
        meta, trained_on = self.dataset_meta or {}, self.provenance.get('trained_on') or {}
        lines = [('Test data', describe_source(meta))]
        if trained_on.get('dataset') != meta.get('dataset'):
            lines.append(('Trained on', describe_source(trained_on)))
        return '\n'.join([table, *(f'{name}: {text}.' for name, text in lines if text)])

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return ('', RERANKINGS[self.reranking]) if self.reranking else ('',)

    def _try(self, write: Callable[[Any], None], path: str | Path) -> None:
        """Write something, unless the disk takes no more."""
        try:
            write(path)
        except OSError as error:
            reason = disk_failure(error, path)
            if reason is None:
                raise
            self.unwritten.append(reason)
            print_log(f'{type(self).__name__}: {reason}', 'current', logging.WARNING)

    def _save_features(self, path: str | Path) -> None:
        meta = self.dataset_meta or {}
        source = {**meta, 'test_data': meta, **self.provenance}
        self.feature_set.save(path, source)

    def _write(self, folder: Path) -> None:
        write_trials(self.report, folder / f'{self.file_stem}_trials.csv')
        meta = self.dataset_meta or {}
        provenance = {
            **meta,
            'protocol': self.protocol.name,
            'dataset': meta.get('dataset'),
            'split': meta.get('split'),
            'num_images': len(self.feature_set),
            'num_ids': len(np.unique(self.feature_set.person_ids)),
            'feature_size': self.feature_set.features.shape[1],
            'distance': self.distance,
            'flip': self.feature_set.flip_features is not None and self.flip_sum,
            'rerank': self.reranking or False,
            **asdict(self.protocol),
            **self.provenance,
            'test_data': meta,  # whole, for the weights have a seed, too
        }
        results = {setting: result.to_dict() for setting, result in self.report.items()}
        content = {'provenance': provenance, 'results': results}
        with new_file(folder / f'{self.file_stem}_report.json') as draft:
            draft.write_text(json.dumps(content, indent=2, default=str) + '\n', 'utf-8')
        queries = {setting: result.queries for setting, result in self.report.items()}
        save_queries(queries, folder / f'{self.file_stem}_queries.npz', provenance)


@METRICS.register_module()
class SYSUMetric(RetrievalMetric):
    """SYSU-MM01: keys ``sysu/<mode>-<shots>shot/...``; see ``SYSUProtocol``."""

    protocol_class = SYSUProtocol


@METRICS.register_module()
class RegDBMetric(RetrievalMetric):
    """One split of RegDB: keys ``regdb/<direction>/...``; see ``RegDBProtocol``."""

    protocol_class = RegDBProtocol


@METRICS.register_module()
class LLCMMetric(RetrievalMetric):
    """LLCM: keys ``llcm/<direction>/...``; see ``LLCMProtocol``."""

    protocol_class = LLCMProtocol


@METRICS.register_module()
class CSVMetric(RetrievalMetric):
    """Data of a table: keys ``csv/<direction>[-<shots>shot]/...``; see ``CSVProtocol``."""

    protocol_class = CSVProtocol


def _vary(name: str, variant: str, suffix: str) -> str:
    """The name of a setting of other features, or ranked otherwise: ``sysu-flip/all-1shot``."""
    protocol, setting = name.split('/')
    return f'{protocol}{variant}{suffix}/{setting}'


def _to_numpy(features: Sequence[Tensor]) -> np.ndarray:
    return torch.stack(list(features)).float().cpu().numpy()


def _collect(results: list[dict]) -> FeatureSet:
    """Every image once, sorted by name."""
    by_name = {result['name']: result for result in results}
    rows = [by_name[name] for name in sorted(by_name)]
    features = {
        f'{key}s': np.array([row[key] for row in rows])
        for key in ('feature', 'flip_feature')
        if key in rows[0]
    }
    return FeatureSet.from_rows(rows, **features)
