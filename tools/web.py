"""A page in the browser: search a gallery with a picture, and look into a finished evaluation.

python tools/web.py --gallery gallery.db CONFIG CHECKPOINT [--features FEATURES.npz]
"""

import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.apis import ReIDInferencer, model_parser, positive
from mmvireid.commands import steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.search import Gallery
from mmvireid.web import Evaluation, Searcher, build_page, serve
from mmvireid.web.server import quiet_gradio


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    parser = model_parser(__doc__)
    parser.add_argument(
        '--gallery', required=True, help='NAME.db or http://host:19530, from gallery.py add'
    )
    parser.add_argument('--features', help='FILE.npz of test.py --save-features, of this config')
    parser.add_argument(
        '--host', default='127.0.0.1',
        help='address to listen at (%(default)s: this machine only); whoever reaches another one '
        'sees the gallery',
    )  # fmt: skip
    parser.add_argument('--port', type=positive, help='(the first free one from 7860 on)')
    args = parser.parse_args(argv)
    with clear_errors('web'), ExitStack() as stack:
        inferencer = ReIDInferencer(args.config, args.checkpoint, cfg_options=args.cfg_options)
        gallery = stack.enter_context(Gallery(args.gallery))
        gradio = stack.enter_context(quiet_gradio())
        searcher = Searcher(gallery, inferencer)
        evaluation = args.features and Evaluation(args.features, inferencer.model.cfg)
        serve(build_page(gradio, searcher, evaluation), args.host, args.port)


if __name__ == '__main__':
    main()
