"""Pedestrians rendered with OpenCV, in the layouts of SYSU-MM01, RegDB and LLCM.

Real visible-infrared data sets need a signed form; this one needs a seed. An identity
(:mod:`.person`) is a build, garments, their patterns and a bag, which both modalities show, plus
colours that only visible cameras and reflectances that only infrared cameras see, drawn
independently of each other (or not: ``tones`` of :func:`ensure_rendered`). A picture
(:mod:`.picture`) adds what does not matter: walking phase, facing, crop, occlusion
(:mod:`.moment`), and the camera's room, light and sensor (:mod:`.cameras`).

So what is behind a picture is known: its factors (:mod:`.factors`), and what another camera would
have made of the same moment (``sensor`` of :func:`render_picture`).

Calibration, SYSU layout, size ``'small'``, seed 0, test identities, rank-1 in percent against
images from other rooms, as printed by ``tools/dataset_converters/calibrate_synthetic.py``:

========================  ====================  ========  ======
feature                   query -> gallery      measured  chance
========================  ====================  ========  ======
colour histogram          visible -> visible       59.78    1.06
colour histogram          infrared -> visible       2.03    1.00
grey histogram            infrared -> visible       2.54    1.00
grey pixels               infrared -> visible       4.31    1.00
untrained ResNet-18       infrared -> visible       1.52    1.00
========================  ====================  ========  ======

What can be learned, by SYSU-MM01's protocol (all-search, single-shot, chance about 1): the small
baseline ``configs/agw/agw_synthetic.py`` reaches 45.9 at ``'small'`` (400 iterations, three seeds,
from weights that know other rendered people): far from chance, and far from saturation.
"""

from .factors import Factors, picture_factors, write_factors
from .layouts import LAYOUTS, SIZES, Layout, Shot
from .person import TONES
from .picture import render_jpeg, render_picture
from .writer import FACTORS, ensure_rendered, rendered_layout

__all__ = [
    'FACTORS', 'LAYOUTS', 'SIZES', 'TONES', 'Factors', 'Layout', 'Shot', 'ensure_rendered',
    'picture_factors', 'render_jpeg', 'render_picture', 'rendered_layout', 'write_factors',
]  # fmt: skip
