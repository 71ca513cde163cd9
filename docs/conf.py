"""What Sphinx is told: ``make docs``."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]  # this clone's package, and the modules beside

import made  # noqa: E402

from mmvireid.version import __version__  # noqa: E402

project = 'mmvireid'
author = 'its contributors'
version = release = __version__
extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
]
exclude_patterns = ['_build']
# headings are targets of links, and so are pictures in tables
myst_heading_anchors = 4
myst_enable_extensions = ['attrs_inline', 'html_image']

autodoc_inherit_docstrings = False  # PyTorch's words on `forward` say nothing of ours
autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented_params'
napoleon_custom_sections = [('Example', 'Examples')]

html_theme = 'furo'
html_title = f'mmvireid {version}'
html_show_copyright = False
html_static_path = ['_static']
html_css_files = ['style.css']


def setup(app) -> None:
    """Make the pages that are made, and the tables and links of all of them."""
    app.connect('builder-inited', lambda app: made.make_pages(DOCS / made.MADE))
    app.connect('source-read', made.finish_page)
