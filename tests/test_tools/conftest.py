"""Loading the command-line tools, which are files and no package."""

import importlib.util
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture(scope='session')
def load_tool():
    """``load_tool('analysis_tools/eval_features.py')`` -> the module."""

    def load(name: str):
        path = TOOLS / name
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
