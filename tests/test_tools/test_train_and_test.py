"""The commands as a user runs them, on a tiny config file."""

import json
import os
import re
import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
import torch
from mmengine.config import Config

from mmvireid.engine.runner import build_runner, distributed
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(shrink, tmp_path):
    """A shrunk config as a file."""
    path = tmp_path / 'tiny_synthetic.py'
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    cfg.log_level = 'INFO'
    cfg.train_cfg.max_epochs = 2
    cfg.dump(path)
    return str(path)


@pytest.fixture
def run(load_tool, tmp_path, monkeypatch):
    """``run('train.py', ...)`` in this process, with nothing left of the run before."""
    monkeypatch.chdir(tmp_path)

    def call(tool: str, *arguments: str) -> None:
        count = len(list(tmp_path.iterdir()))
        options = ['--cfg-options', f'experiment_name={tmp_path.name}_{tool}_{count}']
        load_tool(tool).main([*arguments, *options])
        (tmp_path / f'ran_{count}').touch()

    return call


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def report(folder):
    return json.loads((Path(folder) / 'sysu_report.json').read_text())


def test_the_same_command_gives_the_same_weights_and_figures(run, config, capsys):
    for name in ('a', 'b'):
        run('train.py', config, '--work-dir', name)
        run('test.py', config, f'{name}/epoch_2.pth', '--work-dir', name)
    first, second = weights('a/epoch_2.pth'), weights('b/epoch_2.pth')
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert report('a')['results'] == report('b')['results']
    assert 'chance' in capsys.readouterr().out


def test_resume_goes_on_from_the_newest_checkpoint(run, config):
    run('train.py', config, '--work-dir', 'straight')
    run('train.py', config, '--work-dir', 'broken')
    os.remove('broken/epoch_2.pth')
    Path('broken/last_checkpoint').write_text('/somewhere/else/epoch_1.pth')
    run('train.py', config, '--work-dir', 'broken', '--resume')
    straight, resumed = (
        torch.load(f'{name}/epoch_2.pth', weights_only=True) for name in ('straight', 'broken')
    )
    assert resumed['meta']['iter'] == straight['meta']['iter']
    # nothing in this model draws random numbers but the augmentation, which hangs on the epoch
    for key, value in straight['state_dict'].items():
        assert torch.equal(value, resumed['state_dict'][key]), key


def test_a_run_goes_on_from_its_own_checkpoint_only(run, config):
    run('train.py', config, '--work-dir', 'a')
    log = next(Path('a').glob('*/*.log')).read_text()
    assert re.search(rf'mmvireid \S+ from {ROOT}/mmvireid', log)
    with pytest.raises(SystemExit, match='another run: `randomness.seed` is 1, it was 0'):
        run('train.py', config, '--work-dir', 'a', '--resume', '--cfg-options', 'randomness.seed=1')
    run('train.py', config, '--work-dir', 'b', '--resume', 'a/epoch_1.pth')
    left = Config.fromfile('b/tiny_synthetic.py')
    assert (left.resume, left.load_from) == (False, None)
    ours, theirs = weights('a/epoch_2.pth'), weights('b/epoch_2.pth')
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_nothing_that_was_built_outlives_the_group_of_processes(run, config, monkeypatch):
    """Torch aborts a process now and then that leaves its group before its model is gone."""
    built, left = [], []

    def build(cfg):
        runner = build_runner(cfg)
        built.append(weakref.ref(runner))
        return runner

    def is_initialized():  # asked when the block has ended, and what is left has been collected
        left.append([ref() for ref in built])
        return False

    for module in ('training', 'testing'):
        monkeypatch.setattr(f'mmvireid.apis.{module}.build_runner', build)
    stand_in = SimpleNamespace(is_initialized=is_initialized)
    monkeypatch.setitem(distributed.__wrapped__.__globals__, 'torch_dist', stand_in)
    run('train.py', config, '--work-dir', 'a')
    run('test.py', config, 'a/epoch_2.pth', '--work-dir', 'a')
    assert left == [[None], [None, None]]


def test_a_work_dir_in_use_is_left_alone(run, config, tmp_path):
    hold = 'import fcntl, sys; f = open("a/.train.lock", "w"); fcntl.lockf(f, fcntl.LOCK_EX); '
    hold += 'f.write("123 elsewhere 4\\n"); f.flush(); print(flush=True); sys.stdin.read()'
    (tmp_path / 'a').mkdir()
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with subprocess.Popen([sys.executable, '-c', hold], cwd=tmp_path, **pipes) as other:
        other.stdout.readline()
        with pytest.raises(SystemExit, match='process 123 on elsewhere is training'):
            run('train.py', config, '--work-dir', 'a')
        assert [path.name for path in Path('a').iterdir()] == ['.train.lock']
        other.stdin.close()


def test_features_are_saved_and_the_flip_and_reranked_rows_stand_apart(run, config):
    from mmvireid.evaluation import FeatureSet

    run('train.py', config, '--work-dir', 'a')
    run('test.py', config, 'a/epoch_2.pth', '--work-dir', 'a', '--flip', '--rerank',
        '--save-features', 'a/features.npz')  # fmt: skip
    protocols = {key.split('/')[0] for key in report('a')['results']}
    assert protocols == {'sysu', 'sysu-flip', 'sysu-rerank', 'sysu-flip-rerank'}
    features = FeatureSet.load('a/features.npz')
    assert features.flip_features.shape == features.features.shape
    provenance = report('a')['provenance']
    assert provenance['checkpoint'].endswith('epoch_2.pth')
    assert provenance['selection'] == 'epoch 2'


def test_a_model_is_tested_on_another_data_set(run, shrink, tmp_path, capsys):
    """Trained in SYSU-MM01's layout, tested on other people in RegDB's; both are said."""
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic-to-regdb.py'))
    cfg.log_level = 'INFO'
    cfg.dump('cross.py')
    run('train.py', 'cross.py', '--work-dir', 'a')
    capsys.readouterr()
    run('test.py', 'cross.py', 'a/epoch_1.pth', '--work-dir', 'a')
    printed = capsys.readouterr().out
    assert 'Test data: synthetic_regdb, test, trial 1.\nTrained on: synthetic_sysu, tr' in printed
    found = json.loads(Path('a/regdb_report.json').read_text())['provenance']
    assert (found['dataset'], found['seed']) == ('synthetic_regdb', 0)
    assert found['test_data']['seed'] == 1
    assert found['trained_on']['dataset'] == 'synthetic_sysu'
    # without the word for it, or with that for other training data, nothing is tested
    for names, message in ((False, "`dataset` 'synthetic_regdb', not 'synthetic_sysu'"),
                           (['regdb'], r"`trained_elsewhere` \['regdb'\], not")):  # fmt: skip
        cfg.test_dataloader.dataset.trained_elsewhere = names
        cfg.dump('other.py')
        with pytest.raises(SystemExit, match=f'test: check_trained_on: .*has {message}'):
            run('test.py', 'other.py', 'a/epoch_1.pth', '--work-dir', 'a')


def test_bad_input_is_one_line(run, config, tmp_path):
    run('train.py', config, '--work-dir', 'a')
    cases = {
        ('train.py', 'missing.py'): "`config` is 'missing.py'",
        ('train.py', config, '--resume', 'missing.pth'): "'missing.pth'",
        ('test.py', config, 'missing.pth'): "'missing.pth'",
    }
    for command, message in cases.items():
        with pytest.raises(SystemExit, match=message):
            run(*command)
    (tmp_path / 'other.py').write_text(f'_base_ = {config!r}\nmodel = dict(head=dict(num_ids=3))\n')
    with pytest.raises(SystemExit, match=r'classifier\.weight.* instead of \(3, 64\)'):
        run('test.py', 'other.py', 'a/epoch_2.pth')
    with pytest.raises(SystemExit, match=r'`model\.head\.num_ids` is 3'):
        run('train.py', 'other.py', '--work-dir', 'b')


def test_averaged_weights_are_trained_and_tested(run, config):
    """With a list of hooks that replaces the base's, as users write it."""
    Path('average.py').write_text(
        f'_base_ = {config!r}\n'
        "custom_hooks = [dict(type='EMAHook', momentum=0.5), dict(type='EmptyCacheHook')]\n"
        'train_cfg = dict(max_epochs=1)\n'
    )
    run('train.py', 'average.py', '--work-dir', 'run')
    run('test.py', 'average.py', 'run/epoch_1.pth', '--work-dir', 'with')
    run('test.py', config, 'run/epoch_1.pth', '--work-dir', 'without')
    assert report('with')['results'] == report('without')['results']
    trained = torch.load('run/epoch_1.pth', weights_only=True)['ema_state_dict']
    trained = {k.removeprefix('module.'): v for k, v in trained.items() if k != 'steps'}
    torch.save(trained, 'trained.pth')
    run('test.py', config, 'trained.pth', '--work-dir', 'trained')
    assert report('trained')['results'] != report('with')['results']


COUNTER = """
from mmengine.evaluator import BaseMetric

from mmvireid.registry import METRICS


@METRICS.register_module()
class ImageCounter(BaseMetric):
    default_prefix = 'own'

    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return dict(images=len(results))
"""


def test_every_metric_of_a_list_gets_the_switches_it_knows_and_is_printed(
    run, config, tmp_path, monkeypatch, capsys
):
    monkeypatch.syspath_prepend(str(tmp_path))
    Path('image_counter.py').write_text(COUNTER)
    cfg = Config.fromfile(config)
    sysu = dict(type='SYSUMetric', modes=['all'], shots=[1], num_trials=2)
    cfg.test_evaluator = [dict(type='ImageCounter'), sysu, dict(sysu, modes=['indoor'])]
    cfg.custom_imports = dict(imports=['image_counter'])
    cfg.dump('several.py')
    torch.save(MODELS.build(cfg.model).state_dict(), 'x.pth')
    run('test.py', 'several.py', 'x.pth', '--work-dir', 'a', '--flip', '--save-features', 'a/f.npz')
    printed = capsys.readouterr().out
    for line in ('sysu-flip/all-1shot', 'sysu-flip/indoor-1shot', 'own/images: '):
        assert f'\n{line}' in printed
    first, second = report('a'), json.loads(Path('a/sysu_2_report.json').read_text())
    assert {*first['results']} == {'sysu/all-1shot', 'sysu-flip/all-1shot'}
    assert {*second['results']} == {'sysu/indoor-1shot', 'sysu-flip/indoor-1shot'}
    assert first['provenance']['checkpoint'] == second['provenance']['checkpoint'] == 'x.pth'
    assert Path('a/f.npz').is_file()
    cfg.test_evaluator = dict(type='ImageCounter')
    cfg.dump('none.py')
    with pytest.raises(SystemExit, match='no metric that knows --rerank and --save-features'):
        run('test.py', 'none.py', 'x.pth', '--rerank')
    cfg.test_evaluator = None
    cfg.dump('nothing.py')
    with pytest.raises(SystemExit, match='`test_evaluator` is None, expected'):
        run('test.py', 'nothing.py', 'x.pth')


def run_script(script: str, *arguments: str, port: int) -> str:
    environment = os.environ | dict(
        PORT=str(port), PYTHON=sys.executable, CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1'
    )
    finished = subprocess.run(
        [str(ROOT / 'tools' / script), *arguments],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    return finished.stdout


def test_two_processes_train_and_evaluate_like_one(run, config, narrow_code):
    """Also with an odd number of images, where one is evaluated twice, to keep both busy."""
    cfg = Config.fromfile(config)
    cfg.train_dataloader.batch_size = 12
    cfg.train_dataloader.batch_sampler.update(num_ids=2, num_instances=3)
    cfg.test_dataloader.batch_size = 7
    cfg.test_dataloader.dataset.indices = 77
    Path('narrow_networks.py').write_text(narrow_code)
    cfg.custom_imports = dict(imports=['narrow_networks'])
    cfg.dump('two.py')
    run_script('dist_train.sh', 'two.py', '2', '--work-dir', 'two', port=29611)
    assert Path('two/epoch_2.pth').is_file()
    run('test.py', 'two.py', 'two/epoch_2.pth', '--work-dir', 'one')
    run_script('dist_test.sh', 'two.py', '2', 'two/epoch_2.pth', '--work-dir', 'both', port=29612)
    assert report('both')['results'] == report('one')['results']
    assert report('both')['provenance']['num_images'] == 77


def test_the_demo_ends_with_a_table_and_a_picture(load_tool, config, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    load_tool('demo.py').main([config, '--out', 'out'])
    printed = capfd.readouterr().out
    assert 'sysu/all-1shot' in printed
    assert 'chance' in printed
    picture = printed.split('Ranked lists: ')[1].splitlines()[0]
    assert cv2.imread(picture).size > 0


def test_a_dist_script_says_how_it_is_used():
    finished = subprocess.run(
        [str(ROOT / 'tools/dist_train.sh')], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 2
    assert 'CONFIG GPUS' in finished.stderr
