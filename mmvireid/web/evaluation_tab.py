"""The tab of a finished evaluation: its table, and ranked lists with the wrong ones first."""

import html
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmvireid.apis import best_matches
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import FeatureSet, chance_level, evaluate, fuse_flip
from mmvireid.evaluation.metrics import RetrievalMetric
from mmvireid.evaluation.report import SettingResult
from mmvireid.pictures import picture_url, read_image
from mmvireid.registry import METRICS
from mmvireid.web.messages import messages

#: Queries of one page, and matches of each.
PER_PAGE, NUM_MATCHES = 5, 10


class Evaluation:
    """What a test has saved, evaluated by the protocol of its config.

    Args:
        features: File of ``test.py --save-features``.
        config: The config: whose protocol, and below whose ``data_root`` the pictures lie.

    Raises:
        ValueError: If the file is wrong, is of other data, or the config has no retrieval metric.
    """

    def __init__(self, features: str | Path, config: Config) -> None:
        feature_set, source = FeatureSet.load(features), FeatureSet.load_source(features)
        metric = _metric(config)
        metric.protocol.check_data(source)
        if feature_set.flip_features is not None:
            feature_set = fuse_flip(feature_set, metric.flip_sum)
        self.features, self.metric = feature_set, metric
        self.root = Path(config.test_dataloader.dataset.data_root).resolve()
        self.settings = {s.name: s for s in metric.protocol.settings(feature_set)}
        settings = list(self.settings.values())
        self.report = evaluate(feature_set, settings, metric.distance, max_rank=metric.max_rank)
        self.chance = chance_level(feature_set, settings, metric.max_rank)
        self._rows = {name: row for row, name in enumerate(feature_set.names)}

    def table(self) -> str:
        """The results as an HTML table, chance below each setting."""
        head = ['setting', *self.metric.scores, 'queries', 'trials']
        rows = [f'<tr>{_cells(head, "th")}</tr>']
        for name, result in self.report.items():
            rows.append(f'<tr>{_cells([name, *self._figures(result)])}</tr>')
            chance = ['chance', *self._figures(self.chance[name])]
            rows.append(f'<tr class="chance">{_cells(chance)}</tr>')
        return f'<div class="results-table"><table>{"".join(rows)}</table></div>'

    def _figures(self, result: SettingResult) -> list[str]:
        figures = result.figures(self.metric.scores).values()
        counts = result.num_valid_queries.min(), len(result.mAP)
        return [*(f'{f.mean():.2f} ± {f.std():.2f}' for f in figures), *map(str, counts)]

    def wrong_first(self, setting: str) -> np.ndarray:
        """Rows of the first trial's queries, shape (Nq,).

        Those whose first match is wrong come first, each kind by its average precision, the worst
        first; queries without any match are left out.
        """
        queries = self.report[setting].queries
        rank, precision = queries.first_rank[0], queries.average_precision[0]
        asked = np.flatnonzero(rank > 0)
        order = asked[np.lexsort((precision[asked], rank[asked] == 1))]
        return np.array([self._rows[name] for name in queries.names[order]], dtype=np.int64)

    def num_pages(self, setting: str) -> int:
        """How many pages the ranked lists of a setting fill."""
        return -(-len(self._order(setting)) // PER_PAGE)

    def page(self, setting: str, number: int) -> str:
        """Some ranked lists as HTML.

        Args:
            setting: Name of the setting.
            number: Of the page, from 1.

        Raises:
            ValueError: If there is no such setting or page.
        """
        if setting not in self.settings:
            raise InvalidValueError(f'The setting is {setting!r}, expected {[*self.settings]}.')
        if number not in range(1, self.num_pages(setting) + 1):
            raise InvalidValueError(
                f'The page is {number!r}, expected 1 to {self.num_pages(setting)}.'
            )
        start = (int(number) - 1) * PER_PAGE
        order, rank = self._order(setting), self.report[setting].queries.first_rank[0]
        lists = [self._ranked_list(setting, row) for row in order[start : start + PER_PAGE]]
        told = f'{(rank > 1).sum()} of {len(order)} queries have a wrong first match.'
        return '\n'.join([f'<p>{told}</p>', *lists])

    def _order(self, setting: str) -> np.ndarray:
        return _cached_order(self, setting)

    def _ranked_list(self, setting: str, query: int) -> str:
        matches = best_matches(self.features, self.settings[setting], query, NUM_MATCHES)
        people = self.features.person_ids
        tiles = [self._tile(query, 'query', '')]
        for row in matches:
            right = bool(people[row] == people[query])
            tiles.append(self._tile(row, '✓ right' if right else '✗ wrong',
                                    'right' if right else 'wrong'))  # fmt: skip
        return f'<div class="ranked">{"".join(tiles)}</div>'

    def _tile(self, row: int, title: str, mark: str) -> str:
        name = str(self.features.names[row])
        who, where = (
            f'id {self.features.person_ids[row]}',
            f'camera {self.features.camera_ids[row]}',
        )
        shown = html.escape(name)
        return (
            f'<figure class="tile" data-mark="{mark}"><img alt="{title}: {who}, {where}" '
            f'src="{picture_url(self.picture(name))}"><figcaption>{title}<br>{who}<br>{where}'
            f'<span class="name" title="{shown}">{shown}</span></figcaption></figure>'
        )

    def picture(self, name: str) -> np.ndarray | None:
        """A picture of the data set, uint8 BGR, shape (h, w, 3).

        Args:
            name: As in the features file.

        Returns:
            ``None`` if there is none, or if name or links lead out of the data's folder.
        """
        try:
            path = (self.root / name).resolve()
            return read_image(str(path)) if path.is_relative_to(self.root) else None
        except (OSError, ValueError):
            return None


@lru_cache(maxsize=8)
def _cached_order(evaluation: Evaluation, setting: str) -> np.ndarray:
    return evaluation.wrong_first(setting)


def _metric(config: Config) -> RetrievalMetric:
    evaluators = config.get('test_evaluator') or []
    for evaluator in [evaluators] if isinstance(evaluators, dict) else evaluators:
        metric = METRICS.build(dict(evaluator, save_features=None, out_dir=None))
        if isinstance(metric, RetrievalMetric):
            return metric
    raise InvalidValueError(
        'Evaluation: `config` has no `test_evaluator` that knows a retrieval protocol, expected '
        'one, such as SYSUMetric.'
    )


def _cells(values: Sequence[str], tag: str = 'td') -> str:
    return ''.join(f'<{tag}>{html.escape(value)}</{tag}>' for value in values)


def evaluation_tab(gradio: Any, evaluation: Evaluation) -> None:
    """Put the tab's parts onto the page.

    Args:
        gradio: The module.
        evaluation: What is shown.
    """
    names = [*evaluation.settings]
    gradio.HTML(evaluation.table(), elem_id='evaluation', apply_default_css=False)
    gradio.Markdown(
        'Percent, mean ± std over trials. Below: queries of the first trial and their best '
        'matches, those with a wrong first match before the others, the worst first.'
    )
    with gradio.Row():
        setting = gradio.Dropdown(names, value=names[0], label='Setting', min_width=280)
        number = gradio.Slider(
            1,
            evaluation.num_pages(names[0]),
            value=1,
            step=1,
            label='Page',
            min_width=280,
            elem_id='page',
        )
    lists = gradio.HTML(elem_id='lists', apply_default_css=False)

    def show(name: str, page: int) -> str:
        with messages(gradio):
            return evaluation.page(name, page)

    def change(name: str) -> tuple:
        with messages(gradio):
            shown = evaluation.page(name, 1)
        return gradio.Slider(maximum=evaluation.num_pages(name), value=1), shown

    number.change(show, [setting, number], lists, api_name='ranked_lists')
    setting.input(change, setting, [number, lists], api_visibility='private')
    lists.value = evaluation.page(names[0], 1)
