"""Train and test configs, rules and seeds, many side by side, and make the tables of the results.

``python tools/benchmark.py [CONFIG ...] --seeds 0 1 2 --out runs --jobs 2``

Without a CONFIG these are all ``configs/*/*_synthetic.py``. Every finished cell is a line of
``OUT/results.jsonl``; ``--merge`` adds such lines to those of the project, and ``--update`` makes
the tables of them. The command may be killed at any time: given again, it goes on where it was.
Cells with a line, there or in the project, are not run again.
"""

import argparse
import importlib.util
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.benchmark import (
    RULES,
    SIZES,
    Cell,
    add_line,
    config_hash,
    final_config,
    merge_lines,
    read_lines,
)
from mmvireid.benchmark.pages import Pages
from mmvireid.benchmark.pool import Ended, Job, Pool, end_with_parent
from mmvireid.benchmark.progress import Progress
from mmvireid.benchmark.work import LINE, run_cell
from mmvireid.commands import CommandParser, OptionsAction, add_options_argument, steady_screen
from mmvireid.datasets.rendering import ensure_rendered
from mmvireid.datasets.synthetic import Rendered
from mmvireid.engine.runner import clear_errors, code_commit, work_dir_lock
from mmvireid.engine.runner.config_check import places_in
from mmvireid.errors import InvalidValueError, Refusal, RunStoppedError
from mmvireid.storage import read_text, write_atomically

ROOT = Path(__file__).resolve().parents[1]
#: The lines that tables are made of.
RESULTS = Path('configs', 'benchmark', 'results.jsonl')
LINES, FAILED, CELL = 'results.jsonl', 'failed.jsonl', 'cell.json'


def build_parser() -> CommandParser:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='*', metavar='CONFIG')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], metavar='SEED')
    parser.add_argument('--rules', choices=[*RULES, 'both'], default='published')
    parser.add_argument('--size', choices=[*SIZES], default='small', help='of the rendered data')
    parser.add_argument('--out', type=Path, default=Path('runs'), metavar='DIR')
    parser.add_argument('--jobs', type=int, default=1, help='how many run side by side (1)')
    parser.add_argument('--threads', type=int, default=1, help='of each of them (1)')
    parser.add_argument(
        '--variants',
        type=Path,
        metavar='FILE',
        help='also run experiments that are no rows of tables: lines of name, config and, after '
        'a tab each, the options that differ',
    )
    parser.add_argument('--variant', default='', metavar='NAME', help='what --cfg-options makes')
    add_options_argument(parser)
    parser.add_argument('--commit', default=os.environ.get('MMVIREID_COMMIT'), help='of the code')
    parser.add_argument('--keep', action='store_true', help='keep checkpoints of finished cells')
    parser.add_argument('--list', action='store_true', help='show the cells, and run none')
    parser.add_argument('--merge', type=Path, nargs='+', metavar='FILE', help='add lines')
    parser.add_argument('--update', action='store_true', help='make the tables of the lines')
    parser.add_argument('--run-cell', type=Path, help=argparse.SUPPRESS)
    return parser


def list_cells(args: argparse.Namespace) -> list[Cell]:
    """What is asked for, seed by seed, so that whole tables come early."""
    configs = args.configs
    if not configs and not args.variants:
        found = sorted((ROOT / 'configs').glob('*/*_synthetic.py'))
        configs = [path.relative_to(ROOT).as_posix() for path in found]
    rules = [*RULES] if args.rules == 'both' else [args.rules]
    rows = [(config, args.variant, args.cfg_options or {}) for config in configs]
    rows += read_variants(args.variants) if args.variants else []
    return [
        Cell(config, rule, args.size, seed, variant, options)
        for seed in args.seeds
        for rule in rules
        for config, variant, options in rows
    ]


def read_variants(path: Path) -> list[tuple[str, str, dict]]:
    """Experiments: config, name and options of each; what follows a tab and a ``#`` is a comment.

    Raises:
        ValueError: If a line is not ``name<TAB>config<TAB>options``.
    """
    rows = []
    for number, text in enumerate(read_text(path).splitlines(), 1):
        text = text.partition('\t#')[0].rstrip()
        if not text or text.startswith('#'):
            continue
        name, *others = text.split('\t')
        if not name or not 1 <= len(others) <= 2:
            raise InvalidValueError(
                f'benchmark: {path}, line {number} is {text!r}, expected name, config and options '
                'with a tab between two of them.'
            )
        options = argparse.Namespace(options={})
        action = OptionsAction([], 'options')
        action(None, options, shlex.split(others[1] if others[1:] else ''))
        rows.append((others[0].strip(), name.strip(), options.options))
    return rows


def commit_of(args: argparse.Namespace) -> str:
    """Which state of the code runs."""
    return args.commit or code_commit(ROOT)


class Benchmark:
    """A run of the command.

    Args:
        args: Its command line.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out
        self.commit = commit_of(args)
        self.lines = read_lines(ROOT / RESULTS) + read_lines(self.out / LINES)
        done = {(line['name'], line['config_hash']) for line in self.lines}
        self.cells = by_name(list_cells(args))
        #: One for all seeds.
        self.configs = {}
        for name, cell in self.cells.items():
            if kind_of(name) not in self.configs:
                self.configs[kind_of(name)] = config_of(cell)
        hashes = {kind: config_hash(cfg) for kind, cfg in self.configs.items()}
        self.waiting = [name for name in self.cells if (name, hashes[kind_of(name)]) not in done]
        self.failed: dict[str, str] = {}

    def show(self) -> None:
        """Print every cell, and whether it is done, or was before its config was changed."""
        known = {line['name'] for line in self.lines}
        for name in self.cells:
            state = 'waits' if name in self.waiting else 'done'
            state = 'older' if state == 'waits' and name in known else state
            print(f'{state:5}  {name}')

    def run(self) -> None:
        """Run what is not done, side by side.

        Raises:
            RuntimeError: If cells have failed; names them, with their reasons.
        """
        print(f'{len(self.cells) - len(self.waiting)} of {len(self.cells)} cells are done.')
        self._render()
        for folder in ('work', 'logs', 'queries'):
            (self.out / folder).mkdir(parents=True, exist_ok=True)
        env = dict(OMP_NUM_THREADS=str(self.args.threads))
        self.pool = Pool(self.args.jobs, self.out / 'logs', env)
        self.progress = Progress([kind_of(n) for n in self.waiting], self.args.jobs)
        for line in self.lines:
            self.progress.note(kind_of(line['name']), sum(line['seconds'].values()))
        self.pool.run([self._job(name) for name in self.waiting], self._end, self.progress.look)
        if self.pool.stopped:
            raise SystemExit(128 + self.pool.stopped)
        if self.failed:
            reasons = '\n  '.join(f'{name}: {reason}' for name, reason in self.failed.items())
            raise RunStoppedError(
                f'Benchmark: {len(self.failed)} cells failed (logs in {self.out / "logs"}), the '
                f'others are done:\n  {reasons}'
            )

    def _render(self) -> None:
        """Render data once, before many processes would want to."""
        wanted = {}
        for cfg in [self.configs[kind] for kind in dict.fromkeys(map(kind_of, self.waiting))]:
            for loader in ('train_dataloader', 'test_dataloader'):
                for _, part in places_in(cfg.get(loader), loader):
                    if isinstance(part, dict) and part.get('type') == 'SyntheticSYSU':
                        chosen = {key: part[key] for key in Rendered.choices if key in part}
                        wanted[part.data_root, *chosen.items()] = True
        for root, *chosen in wanted:
            ensure_rendered(root, layout='sysu', **dict(chosen))

    def _job(self, name: str) -> Job:
        folder = self.out / 'work' / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CELL).write_text(self.cells[name].to_json())
        command = [sys.executable, str(Path(__file__).resolve()), '--run-cell', str(folder / CELL)]
        return Job(name, [*command, '--out', str(self.out), '--commit', self.commit])

    def _end(self, ended: Ended) -> None:
        """Keep the line of a cell, or the reason why there is none."""
        name, folder = ended.job.name, self.out / 'work' / ended.job.name
        reason = ended.reason
        if reason is None:
            line = add_line(self.out / LINES, json.loads(read_text(folder / LINE)))
            text = f'{name}: {describe(line)}'
            if not self.args.keep:
                shutil.rmtree(folder)
        else:
            self.failed[name] = reason
            values = dict(json.loads(self.cells[name].to_json()), name=name, reason=reason)
            add_line(self.out / FAILED, dict(values, commit=self.commit))
            text = f'{name} FAILED: {reason}'
        self.progress.done(kind_of(name), ended.seconds, text)


def by_name(cells: Sequence[Cell]) -> dict[str, Cell]:
    """Cells by their names, each once.

    Raises:
        ValueError: If two different ones have one name, and so would share their files.
    """
    found = {}
    for cell in cells:
        if found.setdefault(cell.name, cell) != cell:
            raise InvalidValueError(
                f'benchmark: {cell.name} is the name of two cells, of {found[cell.name].config} '
                f'with {dict(found[cell.name].options)} and of {cell.config} with '
                f'{dict(cell.options)}, expected another name (`--variant`) for one of them.'
            )
    return found


def config_of(cell: Cell) -> Config:
    """The config of a cell; an error says which cell it is of."""
    try:
        return final_config(cell)
    except Refusal as error:
        error.add_note(f'({cell.name})')
        raise


def kind_of(name: str) -> str:
    """The name of a cell without its seed."""
    return name.rpartition('.seed')[0]


def describe(line: dict) -> str:
    """The first setting of a line in a few words."""
    setting, figures = next(iter(line['trials'].items()))
    r1, mean_precision = (sum(figures[key]) / len(figures[key]) for key in ('R1', 'mAP'))
    return f'{setting} R1 {r1:.2f} mAP {mean_precision:.2f}'


def load_command(name: str) -> Callable[[list[str]], None]:
    """``main`` of a command beside this one."""
    spec = importlib.util.spec_from_file_location(f'tool_{name}', Path(__file__).with_name(name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def update() -> None:
    """Make all tables and metafiles of the lines of the project."""
    for path, text in Pages(ROOT, read_lines(ROOT / RESULTS)).outdated().items():
        write_atomically(text.encode(), path)
        print(f'{path.relative_to(ROOT)} is made again')


def run_one(args: argparse.Namespace) -> None:
    """Be the process of one cell."""
    end_with_parent()
    cell = Cell.from_json(read_text(args.run_cell))
    queries = args.out / 'queries' / f'{cell.name}.npz'
    train, test = load_command('train.py'), load_command('test.py')
    run_cell(cell, args.run_cell.parent, queries, train, test, args.commit)


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with clear_errors('benchmark'):
        if args.run_cell:
            run_one(args)
        elif args.merge:
            print(f'{merge_lines(ROOT / RESULTS, args.merge)} lines added to {RESULTS}')
        elif args.update:
            update()
        elif args.list:
            Benchmark(args).show()
        else:
            args.out.mkdir(parents=True, exist_ok=True)
            with work_dir_lock(str(args.out)):
                Benchmark(args).run()


if __name__ == '__main__':
    main()
