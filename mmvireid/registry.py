"""Registries of mmvireid: children of MMEngine's, in scope ``mmvireid``.

A name that is not found here is looked up in MMEngine's registry of the same kind, so that
``dict(type='Adam')`` or ``dict(type='CheckpointHook')`` need no prefix. Every MMEngine registry
has a child here, also those that this project adds nothing to: a missing one costs a warning
at each look-up.
"""

import difflib
from collections.abc import Iterator

from mmengine import registry as mm
from mmengine.registry import Registry as MMRegistry

from mmvireid.errors import UnknownNameError


class Registry(MMRegistry):
    """An MMEngine registry that names the nearest candidates when a name is unknown.

    Raises:
        KeyError: From :meth:`get` for an unknown name; the message has the name, the registry
            and the nearest registered names. MMEngine's own registry returns ``None`` there and
            fails later with a message that suggests nothing.
    """

    def get(self, key: str) -> type | None:
        found = super().get(key)
        if found is None:
            raise UnknownNameError(self._unknown(key))
        return found

    def __contains__(self, key: str) -> bool:
        if '.' in key:  # a scope or a module
            return super().get(key) is not None
        self.import_from_location()  # MMEngine's `get` looks for a package of an unknown name, too
        return key in self._names()

    def _names(self) -> Iterator[str]:
        registry = self
        while registry is not None:
            yield from registry.module_dict
            registry = registry.parent

    def _unknown(self, key: str) -> str:
        nearest = difflib.get_close_matches(key, sorted(set(self._names())), n=3, cutoff=0.5)
        hint = f'Did you mean {" or ".join(repr(name) for name in nearest)}? ' if nearest else ''
        other = next((r.name for r in globals().values() if _has(r, key)), None)
        if other is not None:
            hint = f'It is a {other}, which stands elsewhere in a config. '
        return (
            f'{key!r} is not registered as a {self.name} (scope {self.scope!r}). {hint}'
            'A plugin is registered when its module is listed in `custom_imports` of the config.'
        )


def _has(registry: object, key: str) -> bool:
    return isinstance(registry, Registry) and key in registry


def _child(name: str, parent: MMRegistry, *locations: str) -> Registry:
    return Registry(
        name,
        parent=parent,
        scope='mmvireid',
        locations=[f'mmvireid.{location}' for location in locations],
    )


# What this project adds to.
DATASETS = _child('dataset', mm.DATASETS, 'datasets')
DATA_SAMPLERS = _child('data sampler', mm.DATA_SAMPLERS, 'datasets.samplers')
TRANSFORMS = _child('transform', mm.TRANSFORMS, 'datasets.transforms')
MODELS = _child('model', mm.MODELS, 'models')
HOOKS = _child('hook', mm.HOOKS, 'engine.hooks')
OPTIM_WRAPPERS = _child('optim wrapper', mm.OPTIM_WRAPPERS, 'engine.optimizers')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optim wrapper constructor', mm.OPTIM_WRAPPER_CONSTRUCTORS, 'engine.optimizers'
)
MODEL_WRAPPERS = _child('model wrapper', mm.MODEL_WRAPPERS, 'engine.runner')
METRICS = _child('metric', mm.METRICS, 'evaluation.metrics')
FUNCTIONS = _child('function', mm.FUNCTIONS, 'datasets')

#: Ways to evaluate; MMEngine has no such registry.
PROTOCOLS = Registry('protocol', scope='mmvireid', locations=['mmvireid.evaluation.protocols'])

# What plugins may add to.
RUNNERS = _child('runner', mm.RUNNERS, 'engine.runner')
RUNNER_CONSTRUCTORS = _child('runner constructor', mm.RUNNER_CONSTRUCTORS, 'engine.runner')
LOOPS = _child('loop', mm.LOOPS, 'engine.runner')
STRATEGIES = _child('strategy', mm.STRATEGIES, 'engine.runner')
LOG_PROCESSORS = _child('log processor', mm.LOG_PROCESSORS, 'engine.runner')
OPTIMIZERS = _child('optimizer', mm.OPTIMIZERS, 'engine.optimizers')
PARAM_SCHEDULERS = _child('parameter scheduler', mm.PARAM_SCHEDULERS, 'engine.optimizers')
WEIGHT_INITIALIZERS = _child('weight initializer', mm.WEIGHT_INITIALIZERS, 'models')
EVALUATOR = _child('evaluator', mm.EVALUATOR, 'evaluation')
TASK_UTILS = _child('task util', mm.TASK_UTILS, 'models')
VISUALIZERS = _child('visualizer', mm.VISUALIZERS, 'visualization')
VISBACKENDS = _child('visualization backend', mm.VISBACKENDS, 'visualization')
INFERENCERS = _child('inferencer', mm.INFERENCERS, 'apis')
