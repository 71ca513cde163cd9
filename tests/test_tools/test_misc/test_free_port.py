import socket

import pytest


@pytest.fixture
def find(load_tool, capsys):
    def run(*argv):
        load_tool('misc/free_port.py').main([*argv])
        return int(capsys.readouterr().out)

    return run


def test_a_port_is_chosen_that_can_be_used(find):
    with socket.socket() as one:
        one.bind(('', find()))
        assert find() != one.getsockname()[1]


def test_a_port_that_is_taken_is_named(find):
    with socket.socket() as taken:
        taken.bind(('', 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f'^PORT is {port}, .* in use'):
            find(str(port))
    assert find(str(port)) == port


@pytest.mark.parametrize('text', ['abc', '70000', '-1'])
def test_what_is_no_port_is_named(find, text):
    with pytest.raises(SystemExit, match=f"^PORT is '{text}', expected a number"):
        find(text)
