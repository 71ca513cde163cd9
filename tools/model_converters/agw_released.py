"""Turn a released AGW checkpoint into one that ``configs/agw/agw_sysu.py`` loads strictly.

``python tools/model_converters/agw_released.py sysu_agw.t agw_sysu.pth``, short for ``released.py
agw``.
"""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> None:
    released = runpy.run_path(str(Path(__file__).with_name('released.py')))
    released['main'](['agw', *(sys.argv[1:] if argv is None else argv)])


if __name__ == '__main__':
    main()
