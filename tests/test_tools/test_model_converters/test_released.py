"""The command on files; what it converts is tested with ``released_weights``."""

import pytest
import torch

from mmvireid.apis import init_model


@pytest.fixture
def main(load_tool):
    return load_tool('model_converters/released.py').main


@pytest.fixture
def released(shrink, tmp_path):
    """A tiny config, its model, and the model's networks in files as a release may have them."""
    cfg = shrink('configs/aligngan/aligngan-released_sysu.py')
    cfg.dump(tmp_path / 'tiny.py')
    torch.manual_seed(5)
    model = init_model(cfg)
    for name, network in dict(
        encoder=model.feature_module.extractor,
        classifier=model.feature_module.classifier,
        rgb_to_ir=model.visible_to_infrared,
        ir_to_rgb=model.infrared_to_visible,
    ).items():
        weights = {f'module.{key}': value for key, value in network.state_dict().items()}
        torch.save(weights, tmp_path / f'{name}.pkl')
    torch.save({'fc.weight': torch.zeros(3, 2)}, tmp_path / 'other.pkl')
    return str(tmp_path / 'tiny.py'), model, [str(path) for path in tmp_path.glob('*.pkl')]


def test_several_files_become_one_checkpoint(main, released, tmp_path, capsys):
    config, model, files = released
    out = str(tmp_path / 'new/out.pth')
    main(['aligngan', *files, out, '--config', config])
    printed = capsys.readouterr().out
    again = init_model(config, out)
    inputs = {key: torch.rand(2, 3, 64, 64) for key in ('visible', 'infrared')}
    with torch.no_grad():
        assert torch.equal(again(inputs), model(inputs))
    rows = dict(line.split(maxsplit=1) for line in printed.splitlines()[2:9])
    assert {name: row.strip() for name, row in rows.items()} == {
        'feature_module.extractor': 'encoder',
        'visible_to_infrared': 'rgb_to_ir',
        'infrared_to_visible': 'ir_to_rgb',
        'feature_module.classifier': 'classifier',
        'feature_module.embedder': 'not found',
        'joint_discriminator': 'not found',
        'visible_discriminator': 'not found',
    }
    assert 'of ours left as initialised: feature_module.embedder.weight, ' in printed
    num_ids = model.feature_module.classifier.num_ids
    assert f'{num_ids} identities' in printed
    assert f'model.feature_module.classifier.num_ids={num_ids}' in printed
    assert '1 tensors of the release dropped: other.fc.weight.' in printed


def test_the_user_says_what_is_meant(main, released, tmp_path, capsys):
    config, model, files = released
    names = 'visible_to_infrared=ir_to_rgb', 'infrared_to_visible=rgb_to_ir'
    out = str(tmp_path / 'out.pth')
    main(['aligngan', *files, out, '--config', config, '--part', names[0], '--part', names[1]])
    again = init_model(config, out)
    for key, value in model.infrared_to_visible.state_dict().items():
        assert torch.equal(again.visible_to_infrared.state_dict()[key], value)


def test_mistakes_are_one_line(main, released, tmp_path, capsys):
    config, _, files = released
    out = tmp_path / 'out.pth'
    for arguments, message in {
        ('aligngan', files[0]): 'the feature encoder and the generator of infrared images',
        ('hicmd', files[0]): 'the generator, feature module and classifier of a Hi-CMD checkpoint',
        ('agw', files[0]): 'expected an AGW checkpoint',
        ('agw', 'none.pkl'): 'no such file',
    }.items():
        with pytest.raises(SystemExit, match=f'released: .*{message}'):
            main([*arguments, str(out)] + ['--config', config] * (arguments[0] == 'aligngan'))
    for arguments in (['aligngan', str(out)], ['agw', 'a', 'b', '--part', 'trunk']):
        with pytest.raises(SystemExit, match='2'):
            main(arguments)
        assert 'expected IN, OUT, and --part OURS=NAME' in capsys.readouterr().err
    assert not out.exists()
