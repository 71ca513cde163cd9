"""Packaging of mmvireid; metadata that tools read without running code stands in pyproject.toml."""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SEARCH = ['pymilvus>=3,<4', 'milvus-lite>=3,<4']
WEB = [*SEARCH, 'gradio>=6,<7']
REPORT = ['plotly>=6', 'scikit-learn']
TESTS = [
    'pytest>=8',
    'pytest-timeout>=2.3',
    'pytest-xdist>=3.5',
    'scikit-image',
    'scikit-learn',
    'ruff==0.17.6',
    'import-linter>=2.17,<3',
    'onnx',
    'onnxruntime',
    'plotly>=6',
]
PACKAGE = 'mmvireid'
#: What OpenMMLab packages carry in ``<package>/.mim``, for ``mim`` and for installed use.
SHIPPED = ('configs', 'tools', 'model-index.yml')


class BuildWithMIM(build_py):
    """Put configs, tools and the model index into ``mmvireid/.mim``.

    An installed copy gets files, an editable one links to the clone.
    """

    def run(self) -> None:
        super().run()
        target = ROOT / PACKAGE if self.editable_mode else Path(self.build_lib, PACKAGE)
        mim = target / '.mim'
        shutil.rmtree(mim, ignore_errors=True)
        mim.mkdir(parents=True)
        for name in SHIPPED:
            source, destination = ROOT / name, mim / name
            if self.editable_mode:
                os.symlink(source.resolve(), destination)
            elif source.is_dir():
                shutil.copytree(source, destination, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy(source, destination)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        mim = Path(self.build_lib, PACKAGE, '.mim')
        shipped = [str(path) for path in mim.rglob('*') if path.is_file()]
        return super().get_outputs(include_bytecode) + shipped


def read_version() -> str:
    """The version, read without importing the package."""
    text = (ROOT / PACKAGE / 'version.py').read_text()
    return re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE).group(1)


setup(
    name=PACKAGE,
    version=read_version(),
    description='Toolbox for visible-infrared person re-identification',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.11,<3.14',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['**/*.csv', 'reports/page.*', 'weights/*']},
    cmdclass={'build_py': BuildWithMIM},
    install_requires=[
        'torch>=2.6',
        'torchvision>=0.21',
        'mmengine>=0.10.7,<0.12',
        'mmcv-lite>=2.1.0,<2.3',
        'numpy>=1.26',
        'opencv-python>=4.8',
        'pillow',
        'rich',
        'scipy>=1.11',
    ],
    extras_require={
        'analysis': ['scikit-image', 'scikit-learn'],
        'deploy': ['onnx', 'onnxruntime'],
        'docs': ['furo', 'myst-parser>=4', 'sphinx>=8'],
        'report': REPORT,
        'search': SEARCH,
        'tensorboard': ['tensorboard'],
        'tests': TESTS,
        'tests-all': [*TESTS, *WEB, 'playwright'],
        'web': WEB,
    },
)
