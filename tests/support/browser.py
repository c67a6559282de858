"""A real browser for tests of web pages: Debian's chromium, without a screen."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

NETWORK = ("http://", "https://", "ws://", "wss://", "ftp://")
_PATIENCE_S = 60
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars"),
)


def missing() -> str:
    """Why there is no browser here; empty where there is one."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if not lacking:
        return ""
    return (
        f"NO BROWSER: {' and '.join(lacking)} not found, so the web page was NOT tested;"
        " on Debian: apt-get install chromium chromium-driver (make test does it as root)"
    )


def need_browser() -> None:
    """Fail in CI where there is no browser; elsewhere skip, and say so."""
    _need(missing())


def axe_core() -> str:
    """The script of axe-core, which `make test` fetches from npm; needed as the browser is."""
    file = Path(sys.prefix) / "share" / "axe-core" / "axe.min.js"
    why = f"NO AXE-CORE: the accessibility of the web page was NOT tested; {file} is missing"
    _need("" if file.exists() else f"{why}: scripts/axe-core.sh {file.parent}")
    return file.read_text(encoding="utf-8")


def _need(why: str) -> None:
    if why and os.environ.get("CI"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


@contextmanager
def browser(folder: Path, *flags: str, size: tuple[int, int] = (1280, 900)) -> Iterator[Chrome]:
    """Give a browser with an empty profile in a folder; what it downloads is there, too."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}", *flags):
        options.add_argument(flag)
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def open_page(driver: Chrome, page: Path, fragment: str = "", size: Any = None) -> None:
    """Open a page and wait until all of it is there."""
    from selenium.webdriver.support.ui import WebDriverWait

    if size is not None:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get("about:blank")
    for log in ("browser", "performance"):  # what was said before is not of this page
        driver.get_log(log)
    driver.get(page.as_uri() + fragment)
    ready = "return document.documentElement.dataset.ready === 'done'"
    WebDriverWait(driver, _PATIENCE_S).until(lambda d: d.execute_script(ready))


def requests_of(driver: Chrome) -> list[str]:
    """Addresses in the network that were asked for since this was asked last."""
    said = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m["params"] for m in said if m["method"] == "Network.requestWillBeSent"]
    return [p["request"]["url"] for p in asked if p["request"]["url"].startswith(NETWORK)]


def console_of(driver: Chrome) -> list[str]:
    """What the page has written to the console, warnings and errors of the browser included."""
    return [entry["message"] for entry in driver.get_log("browser")]
