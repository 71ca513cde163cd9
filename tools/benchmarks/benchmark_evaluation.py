"""Time the evaluation against its own matrix product and against a loop over queries.

The features are random, the numbers of images are those of the protocols: SYSU-MM01 (3,803
queries, 6,775 candidates; all and indoor search, 1 and 10 shots, 10 trials) and RegDB (2,060 x
2,060, both directions). The loop does what released evaluation code does.

Example:
    python tools/benchmarks/benchmark_evaluation.py
"""

import csv
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch.nn.functional import normalize

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import peak_extra_memory, seconds
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.evaluation import (
    FeatureSet,
    RegDBProtocol,
    Report,
    RetrievalSetting,
    SYSUProtocol,
    evaluate,
)
from mmvireid.evaluation.functional.retrieval import BLOCK
from mmvireid.structures import INFRARED, VISIBLE

# Test images of SYSU-MM01 per person and camera.
SYSU_COUNTS = Path(__file__).with_name('sysu_test_counts.csv')
MODALITY = {1: VISIBLE, 2: VISIBLE, 3: INFRARED, 4: VISIBLE, 5: VISIBLE, 6: INFRARED}


def random_features(images: Sequence[tuple[int, int, str]], size: int) -> FeatureSet:
    """Random features for (person, camera, modality) of every image."""
    persons, cameras, modalities = zip(*images)
    noise = np.random.default_rng(0).standard_normal((len(images), size), dtype=np.float32)
    names = [f'{modality}/{at:06d}' for at, modality in enumerate(modalities)]
    return FeatureSet(noise, persons, cameras, modalities, names)


def sysu_images(num_persons: int | None) -> list[tuple[int, int, str]]:
    with SYSU_COUNTS.open() as file:
        rows = list(csv.DictReader(file))[:num_persons]
    counts = [(row, camera, int(row[f'cam{camera}'])) for row in rows for camera in MODALITY]
    return [(int(row['pid']), c, MODALITY[c]) for row, c, count in counts for _ in range(count)]


def regdb_images(num_persons: int | None) -> list[tuple[int, int, str]]:
    sides = ((1, VISIBLE), (2, INFRARED))
    return [(p, *side) for p, side, _ in product(range(num_persons or 206), sides, range(10))]


def score_query(
    order: np.ndarray, query_id: int, ids: np.ndarray, excluded: np.ndarray, by_identity: bool
) -> tuple[np.ndarray, float, float] | None:
    """CMC (20 ranks), AP and INP of one query as released code computes them."""
    ranked = ids[order[~excluded[order]]]
    match = (ranked == query_id).astype(np.int32)
    if not match.any():
        return None
    if by_identity:
        _, first = np.unique(ranked, return_index=True)
        hit = ranked[np.sort(first)] == query_id
    else:
        hit = match
    cmc = np.cumsum(hit)[:20] > 0
    found = match.cumsum()
    last = np.flatnonzero(match)[-1]
    # Released code divides in a Python list.
    precision = np.asarray([count / (at + 1.0) for at, count in enumerate(found)]) * match
    return cmc, precision.sum() / match.sum(), found[last] / (last + 1.0)


def evaluate_by_loop(
    feature_set: FeatureSet, settings: Sequence[RetrievalSetting], distance: np.ndarray
) -> dict[str, np.ndarray]:
    """CMC, mAP and mINP of every trial, one query after another.

    Args:
        feature_set: What is known about the images.
        settings: As for ``evaluate``.
        distance: Between all rows of the feature set that meet, shape (N, N).

    Returns:
        Per setting the figures of every trial, shape (T, 22).
    """
    ids, report = feature_set.person_ids, {}
    trials = [(s, trial) for s in settings for trial in range(len(s.galleries))]
    for setting, trial in track(trials, 'Loop over queries'):
        queries, gallery = setting.queries[trial], setting.galleries[trial]
        order = np.argsort(distance[np.ix_(queries, gallery)], axis=1)
        scores = []
        for query, row in zip(queries, order):
            excluded = np.zeros(len(gallery), bool)
            if setting.excluded is not None:
                excluded = setting.excluded(feature_set, np.array([query]), gallery)[0]
            by_identity = setting.rank_by == 'identity'
            scores.append(score_query(row, ids[query], ids[gallery], excluded, by_identity))
        cmc, average_precision, penalty = zip(*(s for s in scores if s is not None))
        means = [*np.mean(cmc, axis=0), np.mean(average_precision), np.mean(penalty)]
        report.setdefault(setting.name, []).append(means)
    return {name: np.array(rows) for name, rows in report.items()}


def tie_free_distance(feature_set: FeatureSet, setting: RetrievalSetting) -> np.ndarray:
    """A matrix (N, N) that ranks as ``evaluate`` does, both ways, but without ties.

    The loop's argsort is not stable, as in released code; without ties its figures can be compared.
    """
    features = normalize(torch.from_numpy(feature_set.features))
    queries, candidates = setting.all_queries, setting.candidates
    gallery = -features[candidates]
    blocks = [x @ gallery.T for x in features[queries].split(BLOCK)]
    matrix = torch.cat(blocks).numpy()
    distance = np.zeros((len(feature_set), len(feature_set)), np.float32)
    for rows, columns, values in ((queries, candidates, matrix), (candidates, queries, matrix.T)):
        ranks = values.argsort(axis=1, kind='stable').argsort(axis=1)
        distance[np.ix_(rows, columns)] = ranks
    return distance


def largest_difference(report: Report, loop: dict[str, np.ndarray]) -> float:
    differences = []
    for name, result in report.items():
        ours = np.column_stack([result.cmc, result.mAP, result.mINP])
        differences.append(np.abs(ours - loop[name]).max())
    return max(differences)


def benchmark(
    title: str, feature_set: FeatureSet, protocol: SYSUProtocol | RegDBProtocol, repeats: int
) -> None:
    def whole() -> Report:
        return evaluate(feature_set, protocol.settings(feature_set))

    settings = protocol.settings(feature_set)
    queries, candidates = settings[0].all_queries, settings[0].candidates
    features = torch.from_numpy(feature_set.features)
    x, y = features[queries], features[candidates]
    memory = peak_extra_memory(whole)
    product_time = seconds(lambda: x @ y.T, repeats)
    whole_time = seconds(whole, repeats)
    report = whole()
    distance = tie_free_distance(feature_set, settings[0])
    start = time.perf_counter()
    loop = evaluate_by_loop(feature_set, settings, distance)
    loop_time = time.perf_counter() - start
    difference = largest_difference(report, loop)
    trials = sum(len(setting.galleries) for setting in settings)
    print(
        f'{title}: {len(queries)} queries, {len(candidates)} candidates, {features.shape[1]}-d, '
        f'{len(settings)} settings, {trials} trials, {torch.get_num_threads()} threads\n'
        f'  similarity product alone      {product_time:10.3f} s\n'
        f'  whole evaluation              {whole_time:10.3f} s   '
        f'{whole_time / product_time:.2f} x the product\n'
        f'  loop over queries, no product {loop_time:10.3f} s\n'
        f'  with the product on both sides    {(loop_time + product_time) / whole_time:6.1f} x\n'
        f'  ranking alone, no product         {loop_time / (whole_time - product_time):6.1f} x\n'
        f'  peak extra memory             {memory:10.0f} MiB\n'
        f'  largest difference of a figure  {difference:.1e}, '
        f'{"identical" if difference < 1e-9 else "NOT IDENTICAL"}\n'
    )


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description='Time the evaluation against its matrix product and against a loop over '
        "queries as in released code, on random features of the protocols' sizes. "
        'Takes some minutes; leave the machine alone meanwhile. Linux only (memory).'
    )
    parser.add_argument('--repeats', type=int, default=5, help='the shortest run counts')
    parser.add_argument('--quick', action='store_true', help='a tiny size, to try the tool')
    args = parser.parse_args(argv)
    persons, size = (8, 64) if args.quick else (None, 2048)
    for title, images, protocol in (
        ('SYSU-MM01', sysu_images(persons), SYSUProtocol(num_trials=1 if args.quick else 10)),
        ('RegDB', regdb_images(persons), RegDBProtocol()),
    ):
        benchmark(title, random_features(images, size), protocol, args.repeats)


if __name__ == '__main__':
    main()
