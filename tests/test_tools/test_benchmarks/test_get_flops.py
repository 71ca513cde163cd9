from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmvireid.models.base import BaseReID
from mmvireid.models.generators import CodeDecoder, GaussianCode

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/get_flops.py')


class TwoLayers(BaseReID):
    """A convolution (per modality the same) and a classifier; a third part is for nothing."""

    def __init__(self):
        super().__init__(loss_weights=dict(identity=1.0))
        self.trunk = nn.Conv2d(3, 5, kernel_size=3, stride=2, padding=1, bias=False)
        self.head = nn.Linear(5, 7)
        self.spare = nn.Linear(2, 2)
        self.criterion = nn.CrossEntropyLoss()

    def extract(self, inputs):
        return torch.cat([self.trunk(images) for images in inputs.values()]).mean(dim=(2, 3))

    def loss(self, inputs, data_samples):
        logits = self.head(self.extract(inputs))
        return dict(identity=self.criterion(logits, self.gt_labels(data_samples)))


def test_every_part_equals_a_count_by_hand(tool):
    convolution = (8 * 4) * (3 * 3) * 3 * 5  # positions x kernel x channels in x channels out
    assert tool.measure(TwoLayers(), (16, 8)) == {
        'trunk': (3 * 3 * 3 * 5, convolution),
        'head': (5 * 7 + 7, 5 * 7),
        'spare': (2 * 2 + 2, None),
        'inference': (3 * 3 * 3 * 5, convolution),
    }


def test_transposed_convolutions_count_their_inputs_positions(tool):
    decoder = CodeDecoder(10, 6, (16, 8), start_channels=4, hidden=[(8, 2), (12, 2)])
    linear = 10 * (4 * 4 * 2)
    layers = (4 * 2) * 16 * 4 * 8 + (8 * 4) * 16 * 8 * 12 + (16 * 8) * 9 * 12 * 6
    assert tool.count_flops(decoder.eval(), torch.rand(1, 10)) == linear + layers


def test_one_row_of_one_modality_is_kept(tool):
    images = torch.arange(6.0).view(3, 2)
    assert torch.equal(tool.first_row(images), images[:1])
    kept = tool.first_row(dict(visible=images, infrared=images + 1))
    assert list(kept) == ['visible']
    assert torch.equal(kept['visible'], images[:1])
    code = tool.first_row(GaussianCode(images.requires_grad_(), images + 1))
    assert torch.equal(code.mean, images[:1])
    assert not code.log_var.requires_grad


@pytest.mark.parametrize(
    'config', ['agw/agw_synthetic.py', 'dgvae/dgvae_synthetic.py', 'hicmd/hicmd_synthetic.py']
)
def test_the_table_lists_the_parts_of_any_method(tool, tmp_path, capsys, shrink, config):
    cfg = shrink(str(ROOT / 'configs' / config))
    cfg.dump(tmp_path / 'tiny.py')
    tool.main([str(tmp_path / 'tiny.py')])
    out = capsys.readouterr().out.splitlines()
    rule = next(i for i, line in enumerate(out) if line.startswith('---'))  # below the head
    lines = [line.split() for line in out[rule + 1 : -1]]
    names = [line[0] for line in lines]
    expected = dict(
        AGW=['backbone', 'neck', 'head'],
        DGVAE=['visible_extractor', 'infrared_extractor', 'identity_encoder', 'ambiguous_encoder',
               'decoder', 'classifier', 'mixture_prior'],
        HiCMD=['visible_prototype_encoder', 'infrared_prototype_encoder',
               'visible_attribute_encoder', 'infrared_attribute_encoder', 'decoder',
               'visible_discriminator', 'infrared_discriminator', 'feature_module'],
    )  # fmt: skip
    assert names == [*expected[cfg.model.type], 'inference']
    assert not any(line[-1] == 'unused' for line in lines)


def test_a_larger_shape_costs_more_and_pretrained_weights_are_not_fetched(tool, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('nothing may be downloaded')

    monkeypatch.setattr('torch.hub.load_state_dict_from_url', refuse)
    cfg = Config.fromfile(ROOT / 'configs/agw/agw_sysu.py')
    costs = []
    for shape in ((32, 16), (64, 32)):
        model, size = tool.build(cfg, shape)
        image = dict(visible=torch.zeros(1, 3, *size))
        costs.append(tool.count_flops(model.eval().backbone, image))
    assert costs[1] > 3.9 * costs[0]


def test_a_missing_config_is_one_line(tool):
    with pytest.raises(SystemExit, match="get_flops: .*`config` is 'missing.py', no such file"):
        tool.main(['missing.py'])
