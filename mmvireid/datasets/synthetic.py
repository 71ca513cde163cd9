"""The rendered substitute for SYSU-MM01, and what all rendered data sets have in common."""

from mmengine.dist import barrier, is_main_process

from mmvireid.registry import DATASETS

from .rendering import ensure_rendered
from .sysu_mm01 import SYSUMM01


class Rendered:
    """What a data set of rendered people has before the class whose layout it is in.

    They are rendered into ``data_root`` when they are not there yet. In a distributed run the
    first process renders and the others wait; they all need to see the same ``data_root``.
    People are a function of the seed, in all layouts.

    Args:
        data_root: Folder that the images are rendered into.
        split: See the class whose layout it is.
        size: How many there are: ``'tiny'``, ``'small'``, ``'benchmark'`` or ``'full'``.
        seed: Seed of the rendering.
        tones: ``'independent'``, or ``'related'``: infrared shows of a garment how much red is in
            its colour. That is another data set, in another folder.
        **kwargs: See the class whose layout it is.
    """

    #: Whose folders and index files are written, see :func:`.rendering.ensure_rendered`.
    layout: str
    #: What else it is rendered from, and must be alike in training and test.
    choices = ('size', 'seed', 'tones')
    people_made_by = 'seed'

    def __init__(
        self,
        data_root: str,
        split: str,
        size: str = 'small',
        seed: int = 0,
        tones: str = 'independent',
        **kwargs,
    ) -> None:
        self.rendering = dict(size=size, seed=seed, tones=tones)
        super().__init__(data_root, split, **kwargs)
        self._metainfo.update(self.rendering)

    def load_data_list(self) -> list[dict]:
        """Rows of the data list; called by MMEngine."""
        try:
            if is_main_process():
                ensure_rendered(self.data_root, layout=self.layout, **self.rendering)
        finally:
            barrier()  # also after an error, or the other processes would wait for ever
        return super().load_data_list()


@DATASETS.register_module()
class SyntheticSYSU(Rendered, SYSUMM01):
    """Rendered pedestrians in the layout and with the protocol of SYSU-MM01.

    Args and errors: see :class:`Rendered` and :class:`SYSUMM01`.
    """

    METAINFO = {'dataset': 'synthetic_sysu', 'protocol': 'sysu'}
    title = 'the rendered data set'
    layout = 'sysu'
    must_agree = (*SYSUMM01.must_agree, *Rendered.choices)
