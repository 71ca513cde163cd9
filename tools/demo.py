"""Render data, train a model, evaluate it, draw ranked lists: what ``make demo`` runs."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import read_config, resume_from, run_tool

TOOLS = Path(__file__).parent


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    parser = CommandParser(description=__doc__)
    parser.add_argument('config', help='a config on rendered data')
    parser.add_argument('--out', default='work_dirs/demo', help='folder for everything it makes')
    args = parser.parse_args(argv)
    out = Path(args.out)
    start = time.monotonic()
    run_tool(TOOLS / 'train.py', args.config, '--work-dir', str(out))
    checkpoint = resume_from('auto', str(out))
    features, picture = str(out / 'features.npz'), str(out / 'ranked_lists.png')
    run_tool(TOOLS / 'test.py', args.config, checkpoint, '--work-dir', str(out),
             '--save-features', features)  # fmt: skip
    data_root = read_config(args.config).test_dataloader.dataset.data_root
    run_tool(TOOLS / 'visualization/ranked_lists.py', features, '--protocol', 'sysu',
             '--data-root', data_root, '--out', picture)  # fmt: skip
    minutes = (time.monotonic() - start) / 60
    print(f'\nRanked lists: {Path(picture).resolve()}\nThe demo took {minutes:.1f} minutes.')


if __name__ == '__main__':
    main()
