"""Several optimisers for one model: who is moved by which."""

from collections.abc import Callable

from mmengine.optim import AmpOptimWrapper, DefaultOptimWrapperConstructor, OptimWrapperDict
from torch import nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import unwrap
from mmvireid.registry import OPTIM_WRAPPER_CONSTRUCTORS

_NAME = 'AlternatingOptimWrapperConstructor'


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class AlternatingOptimWrapperConstructor:
    """Build one optimiser per entry of ``optim_wrapper``.

    An entry has what MMEngine's ``optim_wrapper`` has (``type``, ``optimizer``, ``clip_grad``,
    ``paramwise_cfg``) and ``modules``: the children of the model that it moves. Every trainable
    parameter must have exactly one owner.

    Args:
        optim_wrapper_cfg: ``{name: entry}``; the names are those of the method's ``updates``.
        paramwise_cfg: Must be ``None``: it belongs into the entries.

    Example:
        .. code-block:: python

            optim_wrapper = dict(
                constructor='AlternatingOptimWrapperConstructor',
                autoencoder=dict(modules=['encoder', 'decoder'], optimizer=dict(type='Adam')),
                classifier=dict(modules=['classifier'], optimizer=dict(type='SGD', lr=0.1)),
            )
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        if paramwise_cfg is not None:
            raise InvalidValueError(
                f'{_NAME}: `optim_wrapper.paramwise_cfg` is {paramwise_cfg}, expected it in the '
                'entry of an optimiser.'
            )
        self.entries = {name: dict(entry) for name, entry in optim_wrapper_cfg.items()}

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the optimisers.

        Args:
            model: A method with several optimisers, bare or wrapped for several processes.

        Returns:
            The optimiser wrappers by name.

        Raises:
            ValueError: If the names differ from those of the method's ``updates``; if a module
                does not exist; if a parameter has no owner or two; if gradients would be
                accumulated, or scaled by two different scalers in one backward pass.
        """
        model = unwrap(model)
        self._check_names(model)
        self._check_owners(model)
        wrappers = {name: self._build(model, entry) for name, entry in self.entries.items()}
        for update, names in model.updates.items():
            self._check_joint(update, [wrappers[name] for name in names])
        return OptimWrapperDict(**wrappers)

    def _check_names(self, model: nn.Module) -> None:
        expected = {name for names in model.updates.values() for name in names}
        if set(self.entries) != expected:
            raise InvalidValueError(
                f'{_NAME}: `optim_wrapper` has {sorted(self.entries)}, expected '
                f'{sorted(expected)}, the optimisers of {type(model).__name__}.updates.'
            )
        children = dict(model.named_children())
        for name, entry in self.entries.items():
            unknown = sorted(set(entry.get('modules', ())) - set(children))
            if unknown or not entry.get('modules'):
                raise InvalidValueError(
                    f'{_NAME}: `optim_wrapper.{name}.modules` is {entry.get("modules")}, expected '
                    f'some of {sorted(children)}.'
                )
            if entry.get('accumulative_counts', 1) != 1:
                raise InvalidValueError(
                    f'{_NAME}: `optim_wrapper.{name}.accumulative_counts` is '
                    f'{entry["accumulative_counts"]}, expected 1: alternating updates cannot '
                    'accumulate gradients.'
                )

    def _check_owners(self, model: nn.Module) -> None:
        owners = {}
        for name, entry in self.entries.items():
            for child in entry['modules']:
                owners.setdefault(child, []).append(name)
        for parameter_name, parameter in model.named_parameters():
            found = owners.get(parameter_name.split('.')[0], [])
            if parameter.requires_grad and len(found) != 1:
                raise InvalidValueError(
                    f'{_NAME}: `{parameter_name}` is moved by {found or "no optimiser"}, expected '
                    'exactly one: list its part in `modules` of one entry of `optim_wrapper`.'
                )

    @staticmethod
    def _build(model: nn.Module, entry: dict):
        wrapper_cfg = dict(entry)
        modules = nn.ModuleDict({name: getattr(model, name) for name in wrapper_cfg.pop('modules')})
        paramwise_cfg = wrapper_cfg.pop('paramwise_cfg', None)
        wrapper_cfg.setdefault('type', 'OptimWrapper')
        wrapper = DefaultOptimWrapperConstructor(wrapper_cfg, paramwise_cfg)(modules)
        if entry.get('clip_grad'):
            wrapper.clip_func = _without_result(wrapper.clip_func)
        return wrapper

    @staticmethod
    def _check_joint(update: str, wrappers: list) -> None:
        types = {type(wrapper) for wrapper in wrappers}
        if len(types) > 1 or (len(wrappers) > 1 and issubclass(types.pop(), AmpOptimWrapper)):
            raise InvalidValueError(
                f'{_NAME}: the optimisers of update {update!r} are '
                f'{[type(wrapper).__name__ for wrapper in wrappers]}, expected one type for a '
                'joint backward pass, and none that scales losses (AutocastOptimWrapper, in bf16, '
                'needs no scaling).'
            )


def _without_result(clip: Callable) -> Callable:
    """The same function, but MMEngine finds no norm to log.

    It would wait for the GPU, and log all optimisers under one name; ``AlternatingReID`` logs
    every norm under its own.
    """

    def call(*args, **kwargs) -> None:
        clip(*args, **kwargs)

    return call
