"""The rendered substitute for RegDB."""

from mmvireid.registry import DATASETS

from .regdb import RegDB
from .synthetic import Rendered


@DATASETS.register_module()
class SyntheticRegDB(Rendered, RegDB):
    """Rendered pedestrians in the layout and with the protocol of RegDB.

    Args and errors: see :class:`.synthetic.Rendered` and :class:`RegDB`.
    """

    METAINFO = {'dataset': 'synthetic_regdb', 'protocol': 'regdb'}
    title = 'the rendered data set'
    layout = 'regdb'
    must_agree = (*RegDB.must_agree, *Rendered.choices)
