"""Collects features over a test loop and hands them to a protocol."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmvireid.evaluation.feature_set import FeatureSet, describe_source, npz_path
from mmvireid.evaluation.functional import DISTANCES, chance_level, evaluate, fuse_flip
from mmvireid.evaluation.protocols import (
    LLCMProtocol,
    RegDBProtocol,
    RetrievalSetting,
    SYSUProtocol,
)
from mmvireid.evaluation.protocols.retrieval_setting import check_choices
from mmvireid.evaluation.report import Report, write_trials
from mmvireid.evaluation.table import format_table
from mmvireid.registry import METRICS
from mmvireid.utils import check_output, new_file


class RetrievalMetric(BaseMetric):
    """Base of the metrics: one subclass per protocol, and nothing else differs.

    The result's keys name setting and figure, such as ``sysu/all-1shot/R1``, in percent, mean over
    trials. Features fused with those of the mirrored images (where the model gives
    ``flip_feature``) and re-ranked results have keys of their own: ``sysu-flip/all-1shot/R1``,
    ``sysu-rerank/...``, ``sysu-flip-rerank/...``.

    After an evaluation ``report`` holds every trial, and :meth:`table` the text to print. Results
    do not depend on the number of processes: images are sorted by name and counted once.

    Args:
        distance: ``'cosine'`` or ``'euclidean'``.
        rerank: Whether to report k-reciprocal re-ranking too.
        save_features: Write the features to this ``.npz`` file.
        out_dir: Write ``<protocol>_trials.csv`` (a row per trial) and ``<protocol>_report.json``
            (results with their provenance) into this folder.
        provenance: What else the report should say about these features, such as the checkpoint.
        collect_device: ``'cpu'`` or ``'gpu'``, for collecting from several processes.
        collect_dir: Folder for collecting on ``'cpu'``.
        protocol: Arguments of ``protocol_class``, such as ``modes``; wrong ones fail here, before
            any training.
    """

    protocol_class: type
    default_prefix = ''  # the keys already start with the protocol

    def __init__(
        self,
        distance: str = 'cosine',
        rerank: bool = False,
        save_features: str | None = None,
        out_dir: str | None = None,
        provenance: dict | None = None,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
        **protocol: Any,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        check_choices(type(self).__name__, 'distance', [distance], DISTANCES)
        if save_features:
            check_output(npz_path(save_features))
        self.protocol = self.protocol_class(**protocol)
        self.distance = distance
        self.rerank = rerank
        self.save_features = save_features
        self.out_dir = out_dir
        self.provenance = provenance or {}
        self.report: Report = {}
        self.feature_set: FeatureSet | None = None
        self.settings: list[RetrievalSetting] = []

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
        kept = ('name', 'person_id', 'camera_id', 'modality', 'feature', 'flip_feature')
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
        if self.save_features:
            source = {**(self.dataset_meta or {}), **self.provenance}
            self.feature_set.save(self.save_features, source)
        self.settings = self.protocol.settings(self.feature_set)
        variants = {'': self.feature_set}
        if self.feature_set.flip_features is not None:
            variants['-flip'] = fuse_flip(self.feature_set)
        self.report = {}
        for variant, feature_set in variants.items():
            for suffix in ('', '-rerank') if self.rerank else ('',):
                report = evaluate(feature_set, self.settings, self.distance, rerank=bool(suffix))
                for name, result in report.items():
                    protocol, setting = name.split('/')
                    self.report[f'{protocol}{variant}{suffix}/{setting}'] = result
        if self.out_dir:
            self._write(Path(self.out_dir))
        return {
            f'{setting}/{name}': float(value.mean())
            for setting, result in self.report.items()
            for name, value in result.scores.items()
        }

    def table(self) -> str:
        """The last evaluation as a text table, with the chance level and the test data below."""
        table = format_table(self.report, chance_level(self.feature_set, self.settings))
        described = describe_source(self.dataset_meta)
        return f'{table}\nTest data: {described}.' if described else table

    def _write(self, folder: Path) -> None:
        write_trials(self.report, folder / f'{self.protocol.name}_trials.csv')
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
            'flip': self.feature_set.flip_features is not None,
            'rerank': self.rerank,
            **asdict(self.protocol),
            **self.provenance,
        }
        results = {setting: result.to_dict() for setting, result in self.report.items()}
        content = {'provenance': provenance, 'results': results}
        with new_file(folder / f'{self.protocol.name}_report.json') as draft:
            draft.write_text(json.dumps(content, indent=2, default=str) + '\n', 'utf-8')


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


def _to_numpy(features: Sequence[Tensor]) -> np.ndarray:
    return torch.stack(list(features)).float().cpu().numpy()


def _collect(results: list[dict]) -> FeatureSet:
    """Every image once, sorted by name."""
    by_name = {result['name']: result for result in results}
    rows = [by_name[name] for name in sorted(by_name)]
    columns = {
        'features': 'feature',
        'person_ids': 'person_id',
        'camera_ids': 'camera_id',
        'modalities': 'modality',
        'names': 'name',
        'flip_features': 'flip_feature',
    }
    return FeatureSet(
        **{
            column: np.array([row[key] for row in rows])
            for column, key in columns.items()
            if key in rows[0]
        }
    )
