"""``python -m mnist_helpers data``: exit statuses and messages."""

import pytest

from mnist_helpers.__main__ import main
from mnist_helpers.data import fetch


def test_it_says_where_mnist_lies_or_why_it_cannot_be_had(serve, fake, small_mnist, capsys, monkeypatch):
    monkeypatch.setenv("MNIST_STANDIN", "always")  # makes no difference
    assert main(["data"]) == 1
    assert capsys.readouterr().err.startswith("error: No mirror delivered MNIST")
    small_mnist(f"{serve({'/mnist.npz': fake.npz}).url}/mnist.npz")
    assert main(["data"]) == 0
    shown = capsys.readouterr().out
    path = fetch.cache_directory() / fetch.CACHE_FILE
    for part in ("complete and verified", "the mirror 127.0.0.1", str(path), "(240, 28, 28) uint8, SHA-256"):
        assert part in shown
    monkeypatch.setenv("MNIST_DATA", "missing.npz")
    assert main(["data"]) == 1
    assert "MNIST_DATA must name an mnist.npz" in capsys.readouterr().err


def test_interrupted_it_says_so(capsys, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "find", interrupt)
    assert main(["data"]) == 130
    assert "Interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["run"], ["data", "more"]])
def test_another_command_is_refused_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2 and "usage: python -m mnist_helpers" in capsys.readouterr().err
