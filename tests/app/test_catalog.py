"""The list of pages: each exists, is addressed once, and names a study that exists."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.catalog import ROOT, pages
from engine import studies


def test_every_page_exists_and_every_file_is_a_page() -> None:
    files = {path.relative_to(ROOT / "pages").as_posix() for path in Path(ROOT / "pages").rglob("*.py")}
    assert {page.file for page in pages()} == files - {"__init__.py"}


def test_addresses_and_titles_are_unique() -> None:
    assert len({page.url_path for page in pages()}) == len(pages())
    assert len({page.title for page in pages()}) == len(pages())
    assert pages()[0].url_path == ""


def test_studies_exist() -> None:
    assert {page.study for page in pages() if page.study} <= set(studies.NAMES)


def test_every_page_runs() -> None:
    for page in pages():
        app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
        if page.url_path:
            app.run()
            app.switch_page(f"../pages/{page.file}")
        app.run()
        assert not app.exception, page.file
