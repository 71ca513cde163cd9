from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from mmvireid.models.base import unwrap


def test_a_wrapped_and_a_bare_model_give_the_same_model():
    @MODEL_WRAPPERS.register_module()
    class ToyWrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    model = nn.Linear(2, 1)
    try:
        assert unwrap(ToyWrapper(model)) is unwrap(model) is model
    finally:
        MODEL_WRAPPERS.module_dict.pop('ToyWrapper')


def test_a_child_called_module_is_not_taken_for_a_wrapped_model():
    model = nn.Module()
    model.module = nn.Linear(2, 1)
    assert unwrap(model) is model
