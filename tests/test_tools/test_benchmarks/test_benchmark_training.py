import copy
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper

from mmvireid.engine.runner import forget_weights
from mmvireid.models.backbones import DotProductNonLocal
from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]
DGVAE = 'configs/dgvae/dgvae_synthetic.py'
CMGAN = 'projects/cmgan/configs/cmgan-two-to-one_synthetic.py'


@pytest.fixture
def tool(load_tool, monkeypatch):
    monkeypatch.chdir(ROOT)  # where `projects` is found
    monkeypatch.syspath_prepend(str(ROOT))
    return load_tool('benchmarks/benchmark_training.py')


@pytest.fixture
def tiny(shrink, tmp_path):
    """``tiny(config)``: path of the shrunk config, and the config."""

    def build(config):
        cfg = shrink(str(ROOT / config))
        cfg.dump(tmp_path / 'tiny.py')
        return str(tmp_path / 'tiny.py'), cfg

    return build


@pytest.mark.parametrize(
    ('config', 'options', 'stage'),
    [
        ('configs/agw/agw_synthetic.py', (), None),
        (DGVAE, (), '3 joint'),
        (DGVAE, ('--stage', '1 identity'), '1 identity'),
        (CMGAN, (), 'two to one'),
    ],
)
def test_both_loops_are_timed(config, options, stage, tool, tiny, capsys):
    path = tiny(config)[0]
    tool.main([path, '--iters', '2', '--turns', '1', *options])
    lines = capsys.readouterr().out.splitlines()
    bare, runner = (
        float(next(line for line in lines if line.startswith(name)).split()[-4])
        for name in ('bare loop', 'Runner')
    )
    overhead = float(next(line for line in lines if line.startswith('overhead')).split()[1])
    assert bare > 0
    assert runner > 0
    assert abs(overhead - 100 * (runner / bare - 1)) < 2  # the seconds are rounded for printing
    assert [line.split(maxsplit=1)[1] for line in lines if line.startswith('stage')] == (
        [stage] if stage else []
    )
    peaks = [line for line in lines if line.startswith('peak')]
    assert len(peaks) == 1 + torch.cuda.is_available()
    assert 0.1 < float(peaks[0].split()[1]) < 100  # GiB: PyTorch alone has more than the first


@pytest.mark.parametrize('config', ['configs/agw/agw_synthetic.py', DGVAE, CMGAN])
def test_the_bare_loop_does_the_same_arithmetic(config, tool, tiny):
    cfg = tiny(config)[1]
    for entry in (cfg.optim_wrapper, *cfg.optim_wrapper.values()):
        if isinstance(entry, dict) and 'optimizer' in entry:
            entry.clip_grad = dict(max_norm=0.1)
    if tool.stage_names(cfg):
        tool.keep_stage(cfg, tool.stage_names(cfg)[-1])
    torch.manual_seed(0)
    ours = MODELS.build(cfg.model).train()
    start, plain = copy.deepcopy(ours.state_dict()), copy.deepcopy(ours)
    updates, data = tool.plain_updates(cfg, plain), tool.FixedBatches(cfg, 1).batch
    wrapper = build_optim_wrapper(ours, cfg.optim_wrapper)
    if tool.stage_names(cfg):
        ours.enter_stage(plain.stage)
    for seed in range(3):
        torch.manual_seed(seed)
        ours.train_step(data, wrapper)
        torch.manual_seed(seed)
        batch, shared = plain.data_preprocessor(data, True), {}
        for update in updates:
            update(batch, shared, 'cpu')
    moved = 0
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(plain.state_dict()[key], value, rtol=0, atol=0, msg=key)
        moved += not torch.equal(start[key], value)
    assert moved


def as_released(model):
    """Weights of our AGW under the names of the tool's released one; dead copies are left out."""
    trunk, kept = model.backbone.trunk, {}
    for modality, stem in model.backbone.stems.items():
        kept |= stem.state_dict(prefix=f'{modality}.')
    for name, value in trunk.state_dict().items():
        if 'non_local' not in name:
            kept[f'base.{name}'] = value
    blocks = [part for part in trunk.modules() if isinstance(part, DotProductNonLocal)]
    places = dict(g='g', theta='theta', phi='phi', out='out.0', bn='out.1')
    for index, block in enumerate(blocks):
        for part, place in places.items():
            kept |= getattr(block, part).state_dict(prefix=f'non_local.{index}.{place}.')
    kept |= model.neck.bn.state_dict(prefix='bottleneck.')
    return kept | model.head.classifier.state_dict(prefix='classifier.')


def test_the_released_step_is_agws(tool, training_batch):
    """The same losses as ours from the same weights, written down apart from ours."""
    cfg = Config.fromfile(ROOT / 'configs/agw/agw_sysu.py')
    forget_weights(cfg.model)
    torch.manual_seed(0)
    ours, theirs = MODELS.build(cfg.model).train(), tool.ReleasedAGW(395).train()
    for name, parameter in ours.named_parameters():
        if 'non_local' in name and name.endswith('bn.weight'):
            torch.nn.init.normal_(parameter)  # so that the block does something
    assert round(sum(p.numel() for p in theirs.parameters()) / 1e6, 2) == 71.37
    missing, unknown = theirs.load_state_dict(as_released(ours), strict=False)
    dead = ('visible.layer', 'infrared.layer', 'base.conv1', 'base.bn1')
    assert not unknown and all(name.startswith(dead) for name in missing)
    batch = ours.data_preprocessor(training_batch(3, 2, size=(64, 32)))
    terms = ours.loss(**batch)
    labels = torch.tensor([sample.gt_label for sample in batch['data_samples']])
    embedding, logits = theirs(*batch['inputs'].values())
    for term, value in (
        ('identity', torch.nn.functional.cross_entropy(logits, labels)),
        ('triplet', tool.released_triplet(embedding, labels)),
    ):
        torch.testing.assert_close(value, terms[term], rtol=1e-3, atol=1e-4, msg=term)


@pytest.mark.parametrize('scale', [0.2, 1.0, 4.0, 10.0])
def test_the_released_triplet_loss_has_the_golden_values(scale, tool, golden_batch):
    golden = {0.2: 0.593783387658, 1.0: 0.816246993070, 4.0: 10.123833933171, 10.0: 51.944222213020}
    found = tool.released_triplet(*golden_batch(scale))
    assert found.item() == pytest.approx(golden[scale], abs=1e-9)


def test_the_released_step_is_timed_beside_ours(tool, tiny, capsys):
    path = tiny('configs/agw/agw_synthetic.py')[0]
    tool.main([path, '--iters', '1', '--turns', '1', '--released', '--channels-last'])
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    ratio = float(lines['released'][0]) / float(lines['Runner'][0])
    assert float(lines['speed-up'][0]) == pytest.approx(ratio, rel=0.1, abs=0.02)


def test_a_batch_has_the_blocks_of_the_sampler(tool):
    cfg = Config.fromfile(ROOT / 'configs/agw/agw_synthetic.py')
    cfg.train_dataloader.batch_sampler = ConfigDict(
        type='BlockBatchSampler',
        blocks=dict(
            feature=dict(num_ids=3, num_instances=2), pixel=dict(num_ids=2, num_instances=1)
        ),
    )
    batch = tool.FixedBatches(cfg, 1).batch
    assert batch['inputs'].shape == (16, 3, 128, 64)
    data = ReIDDataPreprocessor()(batch)
    for name, labels in dict(feature=[0, 0, 1, 1, 2, 2], pixel=[0, 1]).items():
        assert [len(images) for images in data['inputs'][name].values()] == [len(labels)] * 2
        samples = data['data_samples'][name]
        assert [s.gt_label for s in samples] == 2 * labels
        half = len(labels)
        assert [s.modality for s in samples] == ['visible'] * half + ['infrared'] * half


def test_weights_are_not_looked_for(tool, tiny, capsys):
    path, cfg = tiny('configs/mso/mso_synthetic.py')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='nowhere.pth')
    cfg.model.edge_loss.weights = 'nowhere.pth'
    cfg.dump(path)
    tool.main([path, '--iters', '1', '--turns', '1'])
    assert 'Runner' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((DGVAE, '--stage', '4'), r"`--stage` is '4', expected one of \['1 identity', '2"),
        (('configs/agw/agw_synthetic.py', '--stage', 'one'), r"is 'one', expected one of \[\]"),
        ((DGVAE, '--released'), '`--released` is for models of type AGW'),
        (('nowhere.py',), "`config` is 'nowhere.py', no such file"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message, tool, capsys):
    with pytest.raises(SystemExit) as error:
        tool.main(list(arguments))
    printed = capsys.readouterr().err + str(error.value)
    assert re.search(message, printed)
