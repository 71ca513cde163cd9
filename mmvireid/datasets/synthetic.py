"""The rendered substitute for SYSU-MM01."""

from mmengine.dist import barrier, is_main_process

from mmvireid.registry import DATASETS

from .rendering import ensure_rendered
from .sysu_mm01 import SYSUMM01


@DATASETS.register_module()
class SyntheticSYSU(SYSUMM01):
    """Rendered pedestrians in the layout and with the protocol of SYSU-MM01.

    They are rendered into ``data_root`` when they are not there yet. In a distributed run the
    first process renders and the others wait; they all need to see the same ``data_root``.

    Args:
        data_root: Folder that the images are rendered into.
        split: See :class:`SYSUMM01`.
        size: How many there are: ``'tiny'``, ``'small'``, ``'benchmark'`` or ``'full'``.
        seed: Seed of the rendering.
        **kwargs: See :class:`BaseReIDDataset`.
    """

    METAINFO = {'dataset': 'synthetic_sysu', 'protocol': 'sysu'}
    title = 'the rendered data set'
    must_agree = (*SYSUMM01.must_agree, 'size', 'seed')

    def __init__(
        self, data_root: str, split: str, size: str = 'small', seed: int = 0, **kwargs
    ) -> None:
        self.size = size
        self.seed = seed
        super().__init__(data_root, split, **kwargs)
        self._metainfo.update(size=size, seed=seed)

    def load_data_list(self) -> list[dict]:
        try:
            if is_main_process():
                ensure_rendered(self.data_root, self.size, layout='sysu', seed=self.seed)
        finally:
            barrier()  # also after an error, or the other processes would wait for ever
        return super().load_data_list()
