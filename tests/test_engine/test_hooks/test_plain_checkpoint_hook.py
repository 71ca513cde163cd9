import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmvireid.engine.hooks import PlainCheckpointHook  # noqa: F401  (registered)


class Toy(BaseModel):
    def __init__(self, width=1):
        super().__init__()
        self.layer = torch.nn.Linear(2, width)

    def forward(self, inputs, mode='tensor'):
        return dict(loss=self.layer(inputs).square().mean())


def build_runner(work_dir, max_epochs=2, model=None, **hook):
    data = [dict(inputs=torch.full((2,), float(i))) for i in range(8)]
    return Runner(
        model=model or Toy(),
        work_dir=str(work_dir),
        train_dataloader=DataLoader(data, batch_size=2),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01)),
        param_scheduler=[
            dict(type='OneCycleLR', eta_max=0.1, total_steps=4, by_epoch=True),
            dict(type='MultiStepLR', milestones=[1], by_epoch=True),
        ],
        train_cfg=dict(by_epoch=True, max_epochs=max_epochs),
        custom_hooks=[dict(type='PlainCheckpointHook', **hook)],
        default_scope='mmvireid',
        experiment_name=f'{work_dir.name}_{max_epochs}_{len(list(work_dir.glob("*")))}',
        log_level='ERROR',
    )


def test_files_load_with_weights_only_and_resume(tmp_path):
    torch.manual_seed(0)
    first = build_runner(tmp_path / 'first')
    first.train()
    file = tmp_path / 'first/epoch_2.pth'
    assert torch.serialization.get_unsafe_globals_in_checkpoint(file) == []
    torch.load(file, weights_only=True)

    second = build_runner(tmp_path / 'second', max_epochs=3)
    second._resume, second._load_from = True, str(file)
    second.train()
    assert second.iter == 12
    # the log history goes on where it stood: 8 iterations before, 4 after
    assert len(second.message_hub.get_scalar('train/loss').data[0]) == 12


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    build_runner(tmp_path / 'narrow').train()
    file = str(tmp_path / 'narrow/epoch_2.pth')
    with pytest.raises(ValueError, match=r'layer\.weight \(1, 2\) instead of \(3, 2\)'):
        build_runner(tmp_path / 'wide', model=Toy(3)).load_checkpoint(file)


def test_lenient_loading_is_a_choice(tmp_path):
    part = tmp_path / 'part.pth'
    torch.save(dict(state_dict={'layer.weight': torch.full((1, 2), 7.0)}), part)
    runner = build_runner(tmp_path / 'lenient', strict=False)
    runner.load_checkpoint(str(part))
    assert runner.model.layer.weight.tolist() == [[7.0, 7.0]]


def test_a_run_does_not_go_on_from_weights_alone(tmp_path):
    build_runner(tmp_path / 'whole').train()
    file = tmp_path / 'whole/epoch_2.pth'
    checkpoint = torch.load(file, weights_only=True)
    del checkpoint['optimizer']
    torch.save(checkpoint, file)
    resumed = build_runner(tmp_path / 'resumed', max_epochs=3)
    resumed._load_from = str(file)
    resumed._resume = True
    with pytest.raises(ValueError, match='has no key `optimizer`'):
        resumed.train()
    begun = build_runner(tmp_path / 'begun')
    begun._load_from = str(file)
    begun.train()  # its weights are good
