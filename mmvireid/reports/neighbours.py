"""Ranked lists: queries that went worst, best, and some drawn at random."""

from collections.abc import Sequence

import numpy as np

from mmvireid.apis import best_matches
from mmvireid.errors import Refusal
from mmvireid.evaluation.query_results import QueryResults
from mmvireid.pictures import picture_url
from mmvireid.reports.markup import Section, sentence, text
from mmvireid.reports.run import Run, Tested

#: Queries of each kind, and matches of each query.
NUM_QUERIES, NUM_MATCHES = 4, 10
_HEIGHT, _QUALITY = 112, 75


def neighbours(runs: Sequence[Run]) -> Section:
    """Queries of the first trial with their best matches, right and wrong marked.

    Args:
        runs: At least one.
    """
    blocks, refusals = [], []
    for run in runs:
        try:
            blocks.append(_lists(run, f'{run.name}: ' if len(runs) > 1 else ''))
        except Refusal as error:
            refusals.append(sentence(f'{run.name}: {error}' if len(runs) > 1 else error))
    told = (
        'The query at the left, with its average precision, its best matches in the gallery of the '
        'first trial beside it.'
    )
    body = (sentence(told, 'note') if blocks else '') + ''.join(refusals)
    body += ''.join(sentence(text, 'note') for text in map(_missing, runs) if blocks and text)
    return Section('Ranked lists', body, tuple(block for row in zip(*blocks) for block in row))


def _missing(run: Run) -> str:
    """How many pictures of a run's lists are not there, if any."""
    test = run.tests and run.test
    if not (test and test.missing):
        return ''
    return (
        f'{run.name}: {len(test.missing)} pictures are not below {test.root}, and crossed out: '
        '--data-root DIR says where they are.'
    )


def choose_queries(queries: QueryResults) -> dict[str, np.ndarray]:
    """Queries of the first trial that are worth a look, each kind of as many people.

    Args:
        queries: Of one setting.

    Returns:
        Positions among the queries: those of the least average precision, of the largest, and
        some drawn at random, each of another person; those without a match are left out.
    """
    asked = np.flatnonzero(queries.first_rank[0] > 0)
    order = asked[np.argsort(queries.average_precision[0][asked], kind='stable')]
    drawn = np.random.default_rng(0).permutation(asked)
    kinds = dict(worst=order, best=order[::-1], random=drawn)
    return {kind: _one_each(queries.person_ids, found) for kind, found in kinds.items()}


def _one_each(person_ids: np.ndarray, order: np.ndarray) -> np.ndarray:
    _, first = np.unique(person_ids[order], return_index=True)
    return order[np.sort(first)[:NUM_QUERIES]]


def _lists(run: Run, prefix: str) -> list[str]:
    """A block for each kind of queries."""
    test = run.test
    name, queries = test.looked_at
    blocks = []
    for kind, chosen in choose_queries(queries).items():
        lists = [_ranked(test, queries, position) for position in chosen]
        blocks.append(f'<h3>{text(f"{prefix}{kind}, {name}")}</h3>{"".join(lists)}')
    return blocks


def _ranked(test: Tested, queries: QueryResults, position: int) -> str:
    """A query and its matches."""
    row = test.row_of[str(queries.names[position])]
    people = test.features.person_ids
    precision = 100 * queries.average_precision[0][position]
    tiles = [_tile(test, row, f'AP {precision:.0f} %', '')]
    for match in best_matches(test.features, test.retrieval, row, NUM_MATCHES):
        right = people[match] == people[row]
        tiles.append(_tile(test, match, '✓' if right else '✗', 'right' if right else 'wrong'))
    return f'<div class="ranked">{"".join(tiles)}</div>'


def _tile(test: Tested, row: int, title: str, kind: str) -> str:
    person, camera = test.features.person_ids[row], test.features.camera_ids[row]
    name = text(test.features.names[row])
    url = picture_url(test.picture(row), _HEIGHT, _QUALITY)
    return (
        f'<figure class="tile {kind}"><img src="{url}" alt="{name}" title="{name}">'
        f'<figcaption>{title}<br>id {person}<br>cam {camera}</figcaption></figure>'
    )
