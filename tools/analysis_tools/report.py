"""Make one page of a run, or of several side by side.

``python tools/analysis_tools/report.py RUN [RUN ...] --out report.html``

A RUN is a work dir of ``train.py``, ``test.py`` or, best, both: what was run, learning curves,
results with their trials, which cameras and people fail, ranked lists, distances, t-SNE, generated
pictures; of several runs the differences from the first one, with intervals. Ranked lists,
distances, cameras and t-SNE need ``test.py --save-features``. What is not there is said, with the
command that makes it. The page is one file, which needs no network, and can be printed. Making it
needs the extra ``report`` (``pip install -e '.[report]'``).

Example:
    python tools/analysis_tools/report.py work_dirs/agw_synthetic --out report.html
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, heavy_imports, steady_screen


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('runs', metavar='RUN', nargs='+', help='work dir')
    parser.add_argument('--out', default='report.html', help='page to write (%(default)s)')
    parser.add_argument('--names', nargs='+', help='what the runs are called (their folders)')
    parser.add_argument('--setting', help='that is looked at closely, such as sysu/all-1shot')
    parser.add_argument('--data-root', help='where the images are (where the test read them)')
    args = parser.parse_args(argv)
    if args.names and len(args.names) != len(args.runs):
        parser.error(f'--names has {len(args.names)}, expected {len(args.runs)}, one for each run.')
    return args


def run(args: argparse.Namespace) -> None:
    from mmvireid.errors import InvalidValueError
    from mmvireid.reports import names_of, plotly_script, read_run, write_page
    from mmvireid.storage import check_output, new_file

    check_output(args.out)
    script = plotly_script()
    names = args.names or names_of(args.runs)
    if len({*names}) < len(names):
        raise InvalidValueError(
            f'report: `--names` is {names}, expected another name for each run.'
        )
    runs = [
        read_run(folder, name, args.setting, args.data_root)
        for folder, name in zip(args.runs, names)
    ]
    page = write_page(runs, script)
    with new_file(args.out) as draft:
        draft.write_text(page, 'utf-8')
    for note in (note for one in runs for note in one.notes):
        print(note)
    print(f'{args.out}: {Path(args.out).stat().st_size / 1e6:.1f} MB, for any browser')


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with heavy_imports():  # which take seconds that --help need not
        from mmvireid.engine.runner import clear_errors
    with clear_errors('report'):
        run(args)


if __name__ == '__main__':
    main()
