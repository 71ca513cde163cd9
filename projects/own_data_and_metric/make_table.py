"""Write images.csv for pictures rendered in the layout of SYSU-MM01: cam<camera>/<person>/*.jpg."""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

INFRARED_CAMERAS = (3, 6)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', type=Path, help='folder that holds cam1 ... cam6 and exp')
    root = parser.parse_args(argv).root
    test_ids = {int(text) for text in (root / 'exp/test_id.txt').read_text('utf-8').split(',')}
    paths = sorted(root.glob('cam*/*/*.jpg'))
    with (root / 'images.csv').open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(('path', 'person_id', 'camera_id', 'modality', 'split'))
        for path in paths:
            camera_id, person_id = int(path.parts[-3].removeprefix('cam')), int(path.parts[-2])
            modality = 'infrared' if camera_id in INFRARED_CAMERAS else 'visible'
            split = 'test' if person_id in test_ids else 'train'
            name = path.relative_to(root).as_posix()
            writer.writerow((name, person_id, camera_id, modality, split))
    print(f'{root / "images.csv"} lists {len(paths)} images.')


if __name__ == '__main__':
    main()
