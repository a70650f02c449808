"""A browser, and what npm installs, for the tests of the site."""

import shutil

import pytest

from gancourse.authoring import packages


@pytest.fixture(scope="session")
def node_modules():
    """What npm installs: without Node.js or a network there is nothing to test."""
    try:
        packages.install()
    except RuntimeError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def browser():
    """Chromium: the system's, or else Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as started:
        try:
            opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as problem:
            pytest.skip(f"Chromium does not start (apt-get install chromium): {problem.message.splitlines()[0]}")
        yield opened
        opened.close()
