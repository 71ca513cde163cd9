"""Files that run code when they are unpickled: every command refuses them, and nothing runs."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.model import BaseModule

from mmvireid.apis import init_model
from mmvireid.datasets import SYSUMM01
from mmvireid.evaluation.protocols.gallery_sampling import OfficialGallery
from mmvireid.models.backbones.vgg16_features import build_vgg16
from mmvireid.registry import MODELS
from mmvireid.storage import load_checkpoint

TOOLS = Path(__file__).parents[1] / 'tools'
CONFIG = 'agw/agw_synthetic.py'
REFUSED = r'^[^\n]*evil[^\n]* is refused, because it holds more than weights[^\n]*$'


@pytest.fixture(params=['system', 'eval'])
def exploit(request, tmp_path, make_exploit):
    """Something that must not be unpickled; the test fails if it was."""
    trace = tmp_path / 'trace'
    yield make_exploit(trace, request.param)
    assert not trace.exists()


def write_checkpoint(path, exploit, **options) -> str:
    """A checkpoint that has all that training would ask for, and more."""
    meta = dict(epoch=1, iter=2, exploit=exploit)
    torch.save(dict(state_dict={}, optimizer={}, param_schedulers=[], meta=meta), path, **options)
    return str(path)


@pytest.fixture
def evil(exploit, tmp_path):
    """The path of a checkpoint that carries code."""
    return write_checkpoint(tmp_path / 'evil.pth', exploit)


@pytest.fixture
def harmless(saved):
    """A tiny config and weights that fit it, the paths of both files."""
    return saved(CONFIG)


@pytest.fixture
def refuses(load_tool, tmp_path, monkeypatch):
    """``refuses(tool, *arguments)``: the command ends with one line, that of a refusal."""
    monkeypatch.chdir(tmp_path)

    def check(tool: str, *arguments: str, message: str = REFUSED) -> None:
        with pytest.raises(SystemExit, match=message):
            load_tool(tool).main([*arguments])

    return check


@pytest.mark.parametrize('how', ['system', 'eval'])
def test_the_traps_do_work(tmp_path, how, make_exploit):
    path = write_checkpoint(tmp_path / 'evil.pth', make_exploit(tmp_path / 'trace', how))
    torch.load(path, weights_only=False)
    assert (tmp_path / 'trace').exists()


#: What the commands that open a checkpoint want besides it.
MODEL_TOOLS = {
    'test.py': [],
    'extract.py': ['a.jpg', '--out', 'a.npz'],
    'deployment/export_onnx.py': ['--out', 'networks'],
    'analysis_tools/disentanglement.py': [],
    'visualization/distances.py': [],
    'analysis_tools/modality_alignment.py': [],
    'analysis_tools/posterior_variances.py': [],
    'visualization/stem_maps.py': ['--visible', 'a.jpg', '--infrared', 'b.jpg'],
    'visualization/swap_factors.py': [],
    'visualization/translations.py': [],
    'web.py': ['--gallery', 'gallery.db'],
}
#: Those that start one of the others, or read only what they have written themselves.
STARTERS = {'demo.py', 'regdb_trials.py', 'misc/kill_test.py'}


def test_no_command_is_forgotten():
    reads = re.compile(
        r"model_parser\(|init_model\(|load_checkpoint|load_weights\(|argument\('checkpoint'|"
        r"'--resume'|resume_from\("
    )
    found = {
        str(path.relative_to(TOOLS))
        for path in TOOLS.rglob('*.py')
        if reads.search(path.read_text())
    }
    converters = {'model_converters/released.py', 'model_converters/ship_weights.py'}
    assert found - STARTERS == {*MODEL_TOOLS, 'train.py', 'gallery.py', *converters}


@pytest.mark.parametrize('tool', MODEL_TOOLS)
def test_commands_with_a_model_refuse_its_checkpoint(refuses, harmless, evil, tool):
    refuses(tool, harmless[0], evil, *MODEL_TOOLS[tool])


@pytest.mark.parametrize('action', ['add', 'search'])
def test_galleries_refuse_it(refuses, harmless, evil, action):
    refuses('gallery.py', action, 'gallery.db', harmless[0], evil, 'a.jpg')


@pytest.mark.parametrize(
    'tool',
    [
        'analysis_tools/modality_alignment.py',
        'visualization/distances.py',
        'visualization/stem_maps.py',
    ],
)
def test_commands_refuse_another_models_checkpoint(refuses, harmless, evil, tool):
    refuses(tool, *harmless, '--other', harmless[0], evil, *MODEL_TOOLS[tool])


def test_a_baselines_checkpoint_is_refused(refuses, saved, harmless, evil):
    model = saved('dgvae/dgvae_synthetic.py')
    refuses('analysis_tools/disentanglement.py', *model, '--baseline', harmless[0], evil)


@pytest.mark.parametrize(
    'arguments',
    [
        ['--resume', 'evil.pth'],
        ['--resume'],
        ['--cfg-options', 'load_from=evil.pth'],
        ['--cfg-options', 'load_from=evil.pth', 'resume=True'],
    ],
)
def test_training_refuses_to_start_from_it(refuses, harmless, evil, tmp_path, arguments):
    (tmp_path / 'last_checkpoint').write_text(evil)
    refuses('train.py', harmless[0], '--work-dir', str(tmp_path), *arguments)


def test_training_refuses_to_resume_from_a_bare_pickle(refuses, harmless, exploit, tmp_path):
    path = write_checkpoint(tmp_path / 'evil.pth', exploit, _use_new_zipfile_serialization=False)
    arguments = ['--work-dir', str(tmp_path), '--resume', path]
    refuses('train.py', harmless[0], *arguments, message='expected a whole checkpoint')


def test_converters_refuse_it(refuses, evil, tmp_path):
    refuses('model_converters/agw_released.py', evil, 'out.pth')
    for method in ('agw', 'hicmd', 'aligngan'):
        refuses('model_converters/released.py', method, evil, 'out.pth')
    refuses('model_converters/ship_weights.py', evil, 'out', '--folder', str(tmp_path))
    assert not (tmp_path / 'out.pth').exists()


def test_the_programming_interface_refuses_it(harmless, evil):
    with pytest.raises(ValueError, match=REFUSED):
        init_model(harmless[0], evil)


PRETRAINED = {
    'TwoStreamResNet': dict(type='TwoStreamResNet', depth=18),
    'ResNetTrunk': dict(type='ResNetTrunk', depth=18),
    'ResNetExtractor': dict(type='ResNetExtractor', depth=18),
    'EdgeStream': dict(type='EdgeStream'),
    'VisionTransformer': dict(type='VisionTransformer', feature_size=8, num_blocks=1, num_heads=1),
}


@pytest.mark.parametrize('network', PRETRAINED)
def test_pretrained_weights_are_refused(evil, network):
    init_cfg = dict(type='Pretrained', checkpoint=evil)
    with pytest.raises(ValueError, match=REFUSED):
        MODELS.build(PRETRAINED[network] | dict(init_cfg=init_cfg)).init_weights()


def test_weights_that_mmengine_initialises_or_a_loss_wants_are_refused(evil):
    with pytest.raises(ValueError, match=REFUSED):
        BaseModule(init_cfg=dict(type='Pretrained', checkpoint=evil)).init_weights()
    with pytest.raises(ValueError, match=REFUSED):
        build_vgg16(evil, taps='relu', seed=0, key='model.edge_loss.weights')


def test_a_download_is_refused_like_a_local_file(evil, tmp_path, monkeypatch):
    """A file that torch finds in its cache stands for one that it has just downloaded."""
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    Path(evil).rename(tmp_path / 'checkpoints/evil.pth')
    with pytest.raises(ValueError, match=REFUSED):
        load_checkpoint('https://example.org/evil.pth')


def write_features(path, exploit, key) -> str:
    """A features file, one array of which is a pickle."""
    arrays = dict(
        features=np.eye(4, dtype=np.float32),
        person_ids=np.array([1, 1, 2, 2]),
        camera_ids=np.array([1, 3, 1, 3]),
        modalities=np.array(['visible', 'infrared'] * 2),
        names=np.array(['a.png', 'b.png', 'c.png', 'd.png']),
    )
    arrays[key] = np.array([exploit] * 4, dtype=object)
    np.savez(path, **arrays)
    return str(path)


FEATURE_TOOLS = {
    'analysis_tools/eval_features.py': [],
    'visualization/ranked_lists.py': ['--data-root', '.'],
}


@pytest.mark.parametrize('tool', FEATURE_TOOLS)
@pytest.mark.parametrize('key', ['features', 'names', 'flip_features', 'bare pickle'])
def test_features_are_no_pickles(load_tool, exploit, tmp_path, capsys, tool, key):
    path = tmp_path / 'evil.npz'
    if key == 'bare pickle':
        path.write_bytes(pickle.dumps(exploit))
    else:
        write_features(path, exploit, key)
    with pytest.raises(SystemExit) as end:
        load_tool(tool).main([str(path), '--protocol', 'sysu', *FEATURE_TOOLS[tool]])
    said = f'{end.value} {capsys.readouterr().err}'
    assert 'evil.npz, expected an .npz file of plain arrays' in said and 'refused' in said


@pytest.mark.parametrize('zipped', [False, True])
def test_a_matlab_file_is_no_pickle(exploit, tmp_path, zipped):
    path = tmp_path / 'rand_perm_cam.mat'
    if zipped:
        Path(write_features(tmp_path / 'evil.npz', exploit, 'names')).rename(path)
    else:
        path.write_bytes(pickle.dumps(exploit))
    with pytest.raises(ValueError, match=r'OfficialGallery: `path` is .*rand_perm_cam\.mat, exp'):
        OfficialGallery(path)


def test_an_image_cache_is_no_pickle(exploit, rendered, tmp_path):
    """It lies in a folder that others may write to; a file that is no cache is made anew."""

    def load():
        dataset = SYSUMM01(
            rendered('sysu'),
            'train',
            pipeline=[dict(type='LoadReIDImage', size=(8, 4))],
            cache='disk',
            cache_dir=str(tmp_path / 'cache'),
        )
        return dataset[0]['img']

    expected = load()
    (path,) = (tmp_path / 'cache').glob('*.npy')
    path.unlink()  # the cache above is still mapped
    np.save(path, np.array([exploit] * 4, dtype=object), allow_pickle=True)
    np.testing.assert_array_equal(load(), expected)
