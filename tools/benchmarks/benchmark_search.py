"""Time exact search against its own product, beside FAISS's flat index and Milvus.

The features are random, of length one, in a file of ``--gallery`` rows. Measured are the product
of all pairs with ``torch.topk``, everything in memory; ``search_exact`` from the file, and its
memory; FAISS's flat index, if faiss-cpu is installed; and a gallery in Milvus, if the extra is
(``--milvus-rows`` of the rows: to fill it takes minutes).

Example:
    python tools/benchmarks/benchmark_search.py
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import peak_extra_memory, positive, seconds
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.errors import RunStoppedError
from mmvireid.evaluation import FeatureSet
from mmvireid.search import Gallery, search_exact
from mmvireid.search.gallery import INDEXES
from mmvireid.structures import VISIBLE

K, CHUNK = 10, 10_000


def write_features(path: Path, rows: int, size: int) -> np.ndarray:
    """A file of random features of length one, as a map, shape (Ng, D)."""
    rng = np.random.default_rng(0)
    features = np.lib.format.open_memmap(path, 'w+', np.float32, (rows, size))
    starts = range(0, rows, CHUNK)
    for start in track(starts, 'writing', console=Console(stderr=True), transient=True):
        part = rng.standard_normal((min(CHUNK, rows - start), size), dtype=np.float32)
        features[start : start + CHUNK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    features.flush()
    return np.load(path, mmap_mode='r')


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact neighbours, rows (Nq, K), that were found."""
    return np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, exact)])


def time_product(queries: np.ndarray, path: Path, repeats: int) -> float:
    """Seconds of the bare product with ``topk``, everything in memory."""
    asked, held = torch.from_numpy(queries), torch.from_numpy(np.load(path))
    return seconds(lambda: (asked @ held.T).topk(K), repeats)


def time_faiss(queries: np.ndarray, path: Path, exact: np.ndarray, repeats: int) -> str:
    """A line on FAISS's flat index."""
    try:
        import faiss
    except ImportError:
        return 'FAISS                                skipped: pip install faiss-cpu'
    faiss.omp_set_num_threads(torch.get_num_threads())
    index = faiss.IndexFlatIP(queries.shape[1])
    index.add(np.load(path))
    elapsed = seconds(lambda: index.search(queries, K), repeats)
    share = recall(index.search(queries, K)[1], exact)
    return f'FAISS, flat index                    {elapsed:8.2f} s   recall@{K} {share:.5f}'


def time_milvus(queries: np.ndarray, features: np.ndarray, index: str, repeats: int) -> str:
    """A line on a gallery in Milvus."""
    exact = search_exact(queries, features, K).rows
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        try:
            opened = Gallery(f'{folder}/gallery.db', 'random', 'random', index=index)
        except RunStoppedError as error:
            return f'Milvus                               skipped: {error}'
        with opened:
            starts = range(0, len(features), CHUNK)
            for at in track(starts, 'filling', console=Console(stderr=True), transient=True):
                opened.add(feature_set(features[at : at + CHUNK], at))
        with Gallery(f'{folder}/gallery.db') as opened:  # all is written, and its index made
            filled = time.perf_counter() - start
            opened.search(queries[:1], K)
            elapsed = seconds(lambda: opened.search(queries, K), repeats)
            found = [[int(match.name) for match in row] for row in opened.search(queries, K)]
    label = f'Milvus, {index}, {len(features):,} rows'
    share = recall(np.array(found), exact)
    return f'{label:<36} {elapsed:8.2f} s   recall@{K} {share:.5f}   filled in {filled:.0f} s'


def feature_set(features: np.ndarray, start: int) -> FeatureSet:
    """Rows with their numbers as names."""
    names = [str(row) for row in range(start, start + len(features))]
    zeros = np.zeros(len(features), int)
    return FeatureSet(features, zeros, zeros, np.full(len(features), VISIBLE), names)


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('--queries', type=positive, default=1000, help='(%(default)s)')
    parser.add_argument('--gallery', type=positive, default=1_000_000, help='rows (%(default)s)')
    parser.add_argument('--size', type=positive, default=512, help='of a feature (%(default)s)')
    parser.add_argument('--repeats', type=positive, default=2, help='the shortest run counts')
    parser.add_argument(
        '--milvus-rows', type=int, default=100_000, help='0 leaves Milvus out (%(default)s)'
    )
    parser.add_argument(
        '--indexes', nargs='+', choices=INDEXES, default=['FLAT'], help='of Milvus (%(default)s)'
    )
    args = parser.parse_args(argv)
    rng = np.random.default_rng(1)
    queries = rng.standard_normal((args.queries, args.size), dtype=np.float32)
    with clear_errors('benchmark_search'), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'gallery.npy')
        features = write_features(path, args.gallery, args.size)
        print(
            f'{args.queries:,} queries, {args.gallery:,} x {args.size} features, '
            f'{K} neighbours, {torch.get_num_threads()} threads'
        )
        memory = peak_extra_memory(lambda: search_exact(queries, path, K))
        ours = seconds(lambda: search_exact(queries, path, K), args.repeats)
        exact = search_exact(queries, path, K).rows
        bare = time_product(queries, path, args.repeats)
        print(f'product and topk, all in memory      {bare:8.2f} s')
        print(f'search_exact, from the file          {ours:8.2f} s   {ours / bare:.2f} x the '
              f'product, {memory:.0f} MiB of extra memory', flush=True)  # fmt: skip
        print(time_faiss(queries, path, exact, args.repeats), flush=True)
        for index in args.indexes if args.milvus_rows else ():
            rows = features[: args.milvus_rows]
            print(time_milvus(queries, rows, index, args.repeats), flush=True)


if __name__ == '__main__':
    main()
