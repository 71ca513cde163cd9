"""Command lines: what all commands have, and what all runs have."""

import argparse
import os
from contextvars import ContextVar
from typing import NoReturn

from .options import add_options_argument

#: Whether the command was asked to show where it refused something.
_traceback = ContextVar('traceback', default=False)
#: Whether the terminal shows the whole log. Who runs no command gets what MMEngine shows.
_verbose = ContextVar('verbose', default=True)


def wants_traceback() -> bool:
    """Whether the command was called with ``--traceback``."""
    return _traceback.get()


def wants_whole_log() -> bool:
    """Whether the terminal is to show all of a log: not for a run without ``--verbose``."""
    return _verbose.get()


class CommandParser(argparse.ArgumentParser):
    """A parser with what every command has: ``--traceback``, which :func:`clear_errors` obeys."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.add_argument(
            '--traceback',
            action='store_true',
            help='where something is refused, show by which lines of code',
        )

    def parse_known_args(self, args=None, namespace=None) -> tuple[argparse.Namespace, list[str]]:
        """Read a command line as argparse does, and keep ``--traceback`` out of the result."""
        namespace, others = super().parse_known_args(args, namespace)
        _traceback.set(namespace.__dict__.pop('traceback'))
        return namespace, others

    def refuse(self, error: Exception) -> NoReturn:
        """End the program as a wrong argument does, with the message of an error."""
        if wants_traceback():
            raise error
        self.error(str(error))


def add_rerank_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--rerank [KIND]``, ``False`` unless it is given.

    Args:
        parser: Gets the option.
        what: What happens with it, for the help.
    """
    kinds = ['k-reciprocal', 'aim']
    parser.add_argument(
        '--rerank',
        nargs='?',
        choices=kinds,
        const=kinds[0],
        default=False,
        help=f'{what}, by k-reciprocal neighbours (without a name) or affinities (AIM); slow: once '
        'per trial',
    )


def parse_run_args(parser: argparse.ArgumentParser, argv: list[str] | None) -> argparse.Namespace:
    """Add the arguments that every run has, and parse.

    Args:
        parser: Has the command's own arguments; ``config`` comes first.
        argv: Command line, ``None`` for the process's own.
    """
    parser.add_argument('--work-dir', help='where logs and checkpoints go (work_dirs/<config>)')
    add_options_argument(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument(
        '--verbose', action='store_true', help='show the whole log, as the log file has it'
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    _verbose.set(args.__dict__.pop('verbose'))
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher == 'slurm':  # a port of the job's own, the same in all its processes
        job, step = (int(os.environ.get(f'SLURM_{name}_ID', 0)) for name in ('JOB', 'STEP'))
        port = os.environ.get('PORT', str(15000 + (job + 97 * step) % 15000))
        os.environ.setdefault('MASTER_PORT', port)
    os.environ.setdefault('MKL_NUM_THREADS', '1')  # MMEngine would set it and warn about it
    return args
