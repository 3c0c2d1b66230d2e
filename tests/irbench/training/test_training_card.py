"""What a card says of the command that made its weights."""

import pytest

pytest.importorskip("torch")

from irbench.training.training_card import repeatable_command


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("irbench train net --dataset a --out /somewhere --epochs 3", "--epochs 3"),
        ("irbench train net --dataset a --data-root=/home/me --resume --epochs 3", "--epochs 3"),
        ("irbench train net --dataset a --epochs 3 --out", "--epochs 3"),
        ("irbench train net --dataset /my/a --weights b/c.safetensors", "--weights c.safetensors"),
        ("irbench train net --dataset a --recipe=/my/long.toml", "--recipe=long.toml"),
        ("irbench train net --dataset a --weights nudt", "--weights nudt"),
    ],
)
def test_places_of_one_machine_are_left_out(given, kept):
    expected = ("irbench", "train", "net", "--dataset", "a", *kept.split())
    assert repeatable_command(given.split()) == expected
