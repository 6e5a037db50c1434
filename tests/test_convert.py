"""GGUF files: refused in one line as a model, and turned into a folder."""

import pytest

from leap_lab import convert
from leap_lab.engines.models import located
from leap_lab.errors import UserError


def test_a_gguf_file_is_refused_with_the_command_that_helps(tmp_path):
    file = tmp_path / "model.Q4_1.gguf"
    file.write_bytes(b"GGUF")
    for path in (file, tmp_path):
        with pytest.raises(UserError, match=r"vLLM does not load GGUF files; .* leap-lab convert ") as caught:
            located(str(path))
        assert str(caught.value).endswith(f"leap-lab convert {file} FOLDER")
    (tmp_path / "config.json").write_text("{}")
    assert located(str(tmp_path)) == str(tmp_path), "a model folder may hold such a file beside its weights"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file; must be a GGUF file"), (b"PK", "not a GGUF file"), (b"GGUF", "transformers cannot read it")],
)
def test_what_cannot_be_converted_is_one_line_and_leaves_nothing(tmp_path, capsys, content, message):
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    assert convert.main([str(file), str(tmp_path / "folder")]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith(f"error: {file}: ") and message in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_there_is_kept(tmp_path, capsys):
    file, folder = tmp_path / "model.gguf", tmp_path / "folder"
    file.write_bytes(b"GGUF")
    folder.mkdir()
    assert convert.main([str(file), str(folder)]) == 2
    assert f"error: {folder}: exists already" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.setattr(convert.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the package gguf; install leap-lab\[gguf\]"):
        convert.convert(file, tmp_path / "folder")


def test_a_tied_output_layer_is_written_once():
    import torch

    tensor, other = torch.zeros(4), torch.ones(4)
    kept = convert._distinct({"embed.weight": tensor, "norm.weight": other, "lm_head.weight": tensor})
    assert list(kept) == ["embed.weight", "norm.weight"]
