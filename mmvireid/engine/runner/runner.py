"""MMEngine's Runner, with the guards that no list in a config can drop."""

import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmvireid.engine.hooks.recovery_hook import handlers_put_back
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.evaluation.result_keys import result_keys
from mmvireid.registry import FUNCTIONS, RUNNERS

from .log_file import say_failures_once
from .terminal import fit_terminal

SCOPE = 'mmvireid'
#: Hooks of every run, by their name in ``default_hooks``.
GUARDS = dict(
    quiet='mmvireid.QuietHook',
    preflight='mmvireid.PreflightHook',
    iteration_seed='mmvireid.IterationSeedHook',
    finite_loss='mmvireid.FiniteLossHook',
    sync_buffers='mmengine.SyncBuffersHook',
    plain_checkpoint='mmvireid.PlainCheckpointHook',
    replaced_images='mmvireid.ReplacedImagesHook',
    recovery='mmvireid.RecoveryHook',
)


@RUNNERS.register_module()
class ReIDRunner(Runner):
    """MMEngine's Runner, in which what this package guarantees does not hang on a config's lists.

    - The hooks in :data:`GUARDS` take part in every run, whatever ``default_hooks`` and
      ``custom_hooks`` hold. An entry of ``default_hooks`` sets one of them up
      (``default_hooks.recovery.minutes=5``), ``None`` switches it off: by its name, on purpose. One
      that stands in ``custom_hooks`` takes the place of that entry.
    - Any entry of ``default_hooks`` may be ``None``; MMEngine allows that of its own ones.
    - Several processes train in ``ReIDDistributedDataParallel`` unless ``model_wrapper_cfg`` says
      otherwise.

    Args:
        As in MMEngine's ``Runner``. Build one with :func:`build_runner`.
    """

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed all generators; deterministic products of matrices on a GPU need a workspace."""
        if deterministic:
            os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
        super().set_randomness(seed, diff_rank_seed, deterministic)

    def train(self) -> nn.Module:
        """Train as MMEngine does; if it fails, nobody goes on listening to signals for it."""
        with handlers_put_back():
            return super().train()

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the logger, whose file may fail without ado, and whose terminal is a screen."""
        logger = super().build_logger(*args, **kwargs)
        say_failures_once(logger)
        fit_terminal(logger)
        return logger

    def load_checkpoint(self, *args, **kwargs) -> dict:
        """Load a checkpoint, and say so in the log alone: MMEngine prints it in all processes."""
        with redirect_stdout(StringIO()):  # the log has its own stream
            return super().load_checkpoint(*args, **kwargs)

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable = 'default',
    ) -> None:
        """Go on as MMEngine does, but read the file to the CPU, also on a GPU.

        What belongs on the device is copied there, weights and the states of optimisers; log
        histories, counts of steps and the states of random generators do not.
        """
        location = 'cpu' if map_location == 'default' else map_location
        super().resume(filename, resume_optimizer, resume_param_scheduler, location)

    def register_hooks(
        self,
        default_hooks: dict[str, Hook | dict | None] | None = None,
        custom_hooks: Sequence[Hook | dict] | None = None,
    ) -> None:
        """Register the guards, the default hooks and those of the user.

        Raises:
            TypeError: If one of the arguments, or an entry, is of another kind.
            ValueError: If an entry has no ``type``.
        """
        default, custom = default_hooks or {}, custom_hooks or []
        if not isinstance(default, dict):
            raise InvalidTypeError(
                f'ReIDRunner: `default_hooks` is a {type(default).__name__}, expected a dict of '
                'hooks by name; hooks without a name belong to `custom_hooks`.'
            )
        if not isinstance(custom, (list, tuple)):
            raise InvalidTypeError(
                f'ReIDRunner: `custom_hooks` is a {type(custom).__name__}, expected a list of '
                'hooks: custom_hooks = [dict(type=...)].'
            )
        guards = {name: dict(type=kind) for name, kind in GUARDS.items()}
        named = {name: _with_type(guards.get(name), hook) for name, hook in default.items()}
        for name, hook in {**named, **dict(enumerate(custom))}.items():
            _check_hook(name, hook)
        others = [hook for name, hook in named.items() if name not in guards]
        placed = {_kind(hook) for hook in [*others, *custom]}
        for name in GUARDS:
            if _kind(guards[name]) in placed:  # in another place than its own, and set up there
                guards.pop(name)
                named.pop(name, None)
        super().register_hooks(guards | named, custom)

    def register_default_hooks(self, hooks: dict[str, Hook | dict | None] | None = None) -> None:
        """Register hooks by name; ``None`` leaves one out."""
        own = {'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint'}
        super().register_default_hooks(
            {name: hook for name, hook in (hooks or {}).items() if hook is not None or name in own}
        )

    def call_hook(self, fn_name: str, **kwargs) -> None:
        """Call all hooks; MMEngine's would replace the TypeError of one, a refusal too."""
        for hook in self._hooks:
            if hasattr(hook, fn_name):
                getattr(hook, fn_name)(self, **kwargs)

    def build_evaluator(self, evaluator: Evaluator | dict | list) -> Evaluator:
        """Build an evaluator, whose results must differ in their names.

        Raises:
            ValueError: If two of them do not.
        """
        evaluator = super().build_evaluator(evaluator)
        result_keys(evaluator.metrics)
        return evaluator

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict, *args, **kwargs) -> DataLoader:
        """Build a data loader, whose functions need no scope; MMEngine's own registry has none."""
        if isinstance(dataloader, dict):
            dataloader = dict(dataloader)
            for key in ('collate_fn', 'worker_init_fn'):
                function = dataloader.get(key)
                if isinstance(function, dict) and isinstance(function.get('type'), str):
                    dataloader[key] = dict(function, type=FUNCTIONS.get(function['type']))
        return Runner.build_dataloader(dataloader, *args, **kwargs)

    def build_param_scheduler(self, scheduler: list | dict) -> list | dict:
        """Build the schedules: one list for all optimisers, or a dict with one for each.

        Raises:
            ValueError: If the dict names other optimisers than there are.
        """
        if isinstance(scheduler, dict) and 'type' not in scheduler:
            names = sorted(getattr(self.optim_wrapper, 'optim_wrappers', ()))
            if sorted(scheduler) != names:
                raise InvalidValueError(
                    f'ReIDRunner: `param_scheduler` is for {sorted(scheduler)}, expected the '
                    f'optimisers {names}, each with its list ([] for none), or one list for all.'
                )
        return super().build_param_scheduler(scheduler)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap the model for several processes, on GPUs or CPUs."""
        default = dict(type=f'{SCOPE}.ReIDDistributedDataParallel')
        return super().wrap_model(model_wrapper_cfg or default, model)


def build_runner(cfg: Config) -> ReIDRunner:
    """Build the runner of a config, a :class:`ReIDRunner` unless ``runner_type`` names its heir.

    Args:
        cfg: A whole config. Its ``default_scope`` is set, if it has none.

    Raises:
        KeyError: If ``runner_type`` is unknown.
        TypeError: If it lacks the guards.
    """
    cfg.default_scope = cfg.get('default_scope') or SCOPE
    init_default_scope(cfg.default_scope)
    kind = cfg.get('runner_type', 'ReIDRunner')
    runner = RUNNERS.get(kind)
    if not issubclass(runner, ReIDRunner):
        raise InvalidTypeError(
            f'build_runner: `runner_type` is {kind!r}, expected a subclass of ReIDRunner, whose '
            'guards every run has.'
        )
    return runner.from_cfg(cfg)


def _kind(hook: Hook | dict) -> str | None:
    """The name of a hook's class, without its scope."""
    kind = hook.get('type') if isinstance(hook, dict) else type(hook)
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', None)


def _with_type(guard: dict | None, hook: Hook | dict | None) -> Hook | dict | None:
    """The settings of a guard, which need no ``type``; any other hook as it is."""
    return {**guard, **hook} if guard and isinstance(hook, dict) else hook


def _check_hook(name: str | int, hook: Hook | dict | None) -> None:
    where = f'custom_hooks[{name}]' if isinstance(name, int) else f'default_hooks.{name}'
    if not isinstance(hook, (Hook, dict)) and (hook is not None or isinstance(name, int)):
        raise InvalidTypeError(
            f'ReIDRunner: `{where}` is a {type(hook).__name__}, expected a dict with a `type`'
            f'{"" if isinstance(name, int) else ", or None to leave the hook out"}.'
        )
    if isinstance(hook, dict) and 'type' not in hook:
        raise InvalidValueError(
            f'ReIDRunner: `{where}` is {dict(hook)}, expected a dict with a `type`.'
        )
