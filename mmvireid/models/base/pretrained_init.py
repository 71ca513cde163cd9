"""Initial weights from a file, which must have them."""

from mmengine.logging import print_log
from mmengine.model import PretrainedInit as MMPretrainedInit
from mmengine.model.weight_init import update_init_info
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from torch import nn

from mmvireid.registry import WEIGHT_INITIALIZERS
from mmvireid.storage import check_state_dict, load_weights


@WEIGHT_INITIALIZERS.register_module(name='Pretrained')
class PretrainedInit(MMPretrainedInit):
    """What ``init_cfg=dict(type='Pretrained', ...)`` does, for any module, the whole model too.

    MMEngine's leaves what it does not find as it is, with a line in the log. Here everything that
    the module has must be in the file, of the same shape. What a file has besides, such as the
    classes of another data set's network, is left out, and said.

    Args:
        checkpoint: As in :func:`~mmvireid.storage.load_checkpoint`.
        prefix: Take the weights whose names begin with this, such as ``'backbone.'``, without it.
        map_location: As in :func:`torch.load`.
    """

    def __call__(self, module: nn.Module) -> None:
        """Give a module its weights.

        Raises:
            ValueError: If one is missing, or of another shape, or the file is no checkpoint.
        """
        weights = load_weights(self.checkpoint, 'init_cfg', self.map_location)
        prefix = f'{self.prefix.rstrip(".")}.' if self.prefix else ''
        weights = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        own = get_state_dict(module)
        given = {key: value for key, value in weights.items() if key in own}
        check_state_dict(own, given, source=self.checkpoint)
        load_state_dict(module, given, strict=True)
        left_out = ', '.join(sorted(set(weights) - set(own))) or 'nothing'
        print_log(f'Initial weights are from {self.checkpoint}; left out: {left_out}.', 'current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())
