"""The page: a tab to search, and one for a finished evaluation."""

from typing import Any

from mmvireid.web.evaluation_tab import Evaluation, evaluation_tab
from mmvireid.web.search_tab import Searcher, search_tab

#: Tiles wrap as the window narrows; colours are those of ranked lists, with signs beside them.
CSS = """
.gradio-container, .gradio-container main {width: 100% !important; max-width: 1500px !important;
  margin: 0 auto !important;}
.tiles {display: grid; grid-template-columns: repeat(auto-fill, minmax(136px, 1fr)); gap: 12px;}
.tile {margin: 0; border: 3px solid #8884; border-radius: 8px; overflow: hidden;
  background: var(--background-fill-secondary); display: flex; flex-direction: column;}
.tile img {width: 100%; height: 220px; object-fit: contain; background: #7773; display: block;}
.tile figcaption {padding: 6px 8px; font-size: 13px; line-height: 1.4; flex: 1;
  overflow-wrap: anywhere;}
.tile figcaption b {font-size: 15px;}
.tile .name {opacity: .7; font-size: 11px; display: block; overflow: hidden; white-space: nowrap;
  text-overflow: ellipsis;}
.tile[data-mark=right] {border-color: #28a03c;} .tile[data-mark=wrong] {border-color: #dc3232;}
.marks {display: flex; border-top: 1px solid #8884;}
.marks button {flex: 1; margin: 0; padding: 8px 2px; font-size: 12px; cursor: pointer; border: 0;
  background: none; color: inherit; min-height: 36px; white-space: nowrap;}
.marks button + button {border-left: 1px solid #8884;}
.marks button:hover, .marks button:focus-visible {background: #8883;}
.tile[data-mark=right] .mark-right {background: #28a03c; color: #fff;}
.tile[data-mark=wrong] .mark-wrong {background: #dc3232; color: #fff;}
.drop {display: flex; align-items: center; justify-content: center; text-align: center;
  min-height: 200px; border: 2px dashed #8888; border-radius: 8px; cursor: pointer; padding: 12px;}
.drop:focus-within, .drop.over {border-color: var(--color-accent); background: #8882;}
.drop img {max-height: 240px; max-width: 100%; object-fit: contain;}
.drop input {position: absolute; opacity: 0; width: 1px; height: 1px;}
.ranked, .results-table {max-width: min(1440px, calc(100vw - 64px)); overflow-x: auto;}
.ranked {display: flex; gap: 10px; padding: 6px 0 12px;}
.ranked .tile {flex: 0 0 104px;} .ranked .tile img {height: 190px;}
.ranked .tile:first-child {margin-right: 14px;}
.results-table table {border-collapse: collapse; font-size: 14px; white-space: nowrap;}
.results-table :is(th, td) {padding: 5px 12px; text-align: right;
  border-bottom: 1px solid #8884;}
.results-table :is(th, td):first-child {text-align: left;}
#table a {text-decoration: underline; color: var(--link-text-color);}
.results-table tr.chance td {opacity: .65;}
"""


def build_page(
    gradio: Any, searcher: Searcher | None = None, evaluation: Evaluation | None = None
) -> Any:
    """Build the page.

    Args:
        gradio: The module, from :func:`~mmvireid.web.server.quiet_gradio`.
        searcher: A gallery and its model; ``None`` leaves its tab out.
        evaluation: A finished evaluation; ``None`` says how to give one.

    Returns:
        A ``gradio.Blocks``; ``looks`` is how :func:`~mmvireid.web.serve` makes it look.
    """
    fonts = ['system-ui', 'Segoe UI', 'Arial', 'sans-serif'], ['ui-monospace', 'monospace']
    with gradio.Blocks(
        title='mmvireid', fill_width=True, analytics_enabled=False, delete_cache=(600, 600)
    ) as page:
        gradio.Markdown('## Visible-infrared person search')
        if searcher is not None:
            with gradio.Tab('Search'):
                search_tab(gradio, searcher)
        with gradio.Tab('Evaluation'):
            if evaluation is None:
                gradio.Markdown(
                    'No evaluation was given: `tools/test.py ... --save-features FILE.npz`, then '
                    '`tools/web.py ... --features FILE.npz`.'
                )
            else:
                evaluation_tab(gradio, evaluation)
    theme = gradio.themes.Default(font=fonts[0], font_mono=fonts[1])
    page.looks = dict(css=CSS, theme=theme)
    return page
