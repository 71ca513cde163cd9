"""Rendered people before RegDB's cameras."""

from mmvireid.datasets import RegDB, SyntheticRegDB


def test_it_is_rendered_on_first_use_and_read_as_regdb(rendered):
    root = rendered('regdb', seed=1)
    dataset = SyntheticRegDB(root, 'test', trial=2, size='tiny', seed=1)
    plain = RegDB(root, 'test', trial=2)
    rows = [plain.get_data_info(index) for index in range(len(plain))]
    assert [dataset.get_data_info(index) for index in range(len(dataset))] == rows
    rendering = dict(size='tiny', seed=1, tones='independent')
    assert dataset.metainfo == plain.metainfo | dict(dataset='synthetic_regdb', **rendering)
