"""The page in a browser: it sorts, filters, opens an image, and reports no error.

Chromium is driven by its DevTools protocol over two pipes, which needs no package.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

ANSWER_WITHIN_S = 60

# Chromium reads from 3 and writes to 4.
PLACE_PIPES = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


class Page:
    """A page in Chromium.

    Attributes
    ----------
    errors : list of str
        What came on the console, and every exception and failed or outside request.
    """

    def __init__(self, folder: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        self._ids = count(1)
        self._buffer = b""
        self.errors: list[str] = []

        self._process = subprocess.Popen(
            [
                sys.executable, "-c", PLACE_PIPES, str(to_browser), str(from_browser),
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}",
                "--disable-dev-shm-usage", "--disable-extensions", "about:blank",
            ],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = None
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def call(self, method: str, **params):
        """Send a command, and wait for its answer."""
        message = {"id": next(self._ids), "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == message["id"]:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file in a window of some size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.show_on("screen", dark)
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.run(
            "new Promise((done) => document.readyState === 'complete' && "
            "location.protocol === 'file:' ? done() : addEventListener('load', done))"
        )

    def show_on(self, medium: str, dark: bool = False) -> None:
        """Take the page for one on a screen or on paper."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=medium, features=[scheme])

    def run(self, expression: str):
        """The value of an expression, a promise awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._write)
        os.close(self._read)

    def _next(self):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], ANSWER_WITHIN_S)
            assert ready, "the browser does not answer"
            part = os.read(self._read, 1 << 16)
            assert part, "the browser has ended"
            self._buffer += part
        first, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(first)

    def _note(self, event) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" | "Log.entryAdded":
                self.errors.append(str(params))
            case "Network.requestWillBeSent":
                url = params["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    self.errors.append(f"a request to {url}")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    opened = Page(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture
def opened(page, whole_page):
    page.errors.clear()
    page.open(whole_page)
    yield page
    assert page.errors == []


ROWS = "[...document.querySelectorAll('.results tbody tr')]"


def methods(page):
    return page.run(f"{ROWS}.filter((row) => !row.hidden).map((row) => row.dataset.method)")


def keys(page, metric):
    return page.run(f"{ROWS}.map((row) => row.querySelector('[data-metric={metric}]').dataset.key)")


def test_the_table_sorts_best_first_and_then_the_other_way(opened):
    for metric, best in (("recall", max), ("fa", min)):
        button = f"document.querySelector('th[data-metric={metric}] button')"
        opened.run(f"{button}.click()")
        once = keys(opened, metric)
        values = [float(key) for key in once if key]
        assert values == sorted(values, reverse=best is max)
        assert len(set(values)) > 1
        # A method without a value comes last either way.
        assert once[-1] == ""
        opened.run(f"{button}.click()")
        assert keys(opened, metric) == [*map(str, once[-2::-1]), ""]


def test_the_table_filters_by_name_group_and_state(opened):
    def type_in(text):
        opened.run(
            f"(() => {{ const box = document.querySelector('[data-filter]'); "
            f"box.value = {json.dumps(text)}; box.dispatchEvent(new Event('input')); }})()"
        )

    everything = methods(opened)
    type_in("top-h")
    assert methods(opened) == ["tophat"]
    assert opened.run("document.querySelector('[data-count]').textContent") == "1 of 4 methods"
    type_in("deep learning")
    assert methods(opened) == ["boxes"]
    type_in("failed")
    assert methods(opened) == ["broken"]
    type_in("<script>")
    assert methods(opened) == ["50%_a&b<script>"]
    type_in("")
    assert methods(opened) == everything


def test_more_columns_come_on_demand(opened):
    width = "document.querySelector('td[data-metric=auc]').offsetWidth"
    assert opened.run(width) == 0
    opened.run("document.querySelector('[data-column=auc]').click()")
    assert opened.run(width) > 0


def test_a_method_can_be_switched_off(opened):
    seen = (
        "[...document.querySelectorAll('.series[data-method=tophat]')]"
        ".filter((one) => getComputedStyle(one).display !== 'none').length"
    )
    marks = "document.querySelectorAll('.card rect').length"
    assert opened.run(seen) > 0
    before = opened.run(marks)
    opened.run("document.querySelector('[data-toggle=tophat]').click()")
    assert opened.run(seen) == 0
    opened.run("document.querySelector('[data-all=\"\"]').click()")
    assert opened.run(marks) == 0 < before


def test_an_image_opens_with_every_method_and_zooms(opened):
    assert opened.run("document.querySelectorAll('.card').length") == 6
    loaded = "(async () => { const image = new Image(); image.src = document.querySelector("
    loaded += "'.card image').getAttribute('href'); await image.decode(); return image.width; })()"
    assert opened.run(loaded) == 64
    opened.run("document.querySelector('.card').click()")
    assert opened.run("document.getElementById('enlarged').open")
    titles = "[...document.querySelectorAll('.panels b')].map((one) => one.textContent)"
    assert opened.run(titles) == ["Targets", "50%_a&b<script>", "Top-Hat", "Boxes"]
    boxes = (
        "[...document.querySelectorAll('.panels svg')].map((one) => one.getAttribute('viewBox'))"
    )
    assert set(opened.run(boxes)) == {"0 0 64 48"}
    opened.run("document.querySelectorAll('.zooms button')[1].click()")
    whole, *zoomed = opened.run(boxes)
    assert whole == "0 0 64 48"
    assert {box.split()[2] for box in zoomed} == {"40"}
    first = opened.run("document.getElementById('enlarged-title').textContent")
    opened.run("document.querySelector('[data-step=\"1\"]').click()")
    assert opened.run("document.getElementById('enlarged-title').textContent") != first
    opened.run("document.querySelector('[data-close]').click()")
    assert not opened.run("document.getElementById('enlarged').open")


def test_an_image_without_targets_opens(opened):
    opened.run(
        "[...document.querySelectorAll('.card')]"
        ".find((card) => card.textContent.startsWith('empty')).click()"
    )
    assert "none in this image" in opened.run("document.querySelector('.panels').textContent")
    assert opened.run("document.querySelectorAll('.zooms button').length") == 1


def test_images_are_sorted_and_found(opened):
    names = "[...document.querySelectorAll('.card b')].map((one) => one.textContent)"

    def choose(control, value):
        opened.run(
            f"(() => {{ const one = document.querySelector('[data-{control}]'); "
            f"one.value = {json.dumps(value)}; one.dispatchEvent(new Event('input')); }})()"
        )

    choose("order", "id")
    assert opened.run(names) == ["b", "d", "e", "empty", "f", "night <1> & co"]
    choose("find", "night <")
    assert opened.run(names) == ["night <1> & co"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_window_light_and_dark(page, whole_page, width, dark):
    page.errors.clear()
    page.open(whole_page, width, 900, dark)
    assert page.run("document.documentElement.scrollWidth") <= width
    colour = page.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, colour[4:-1].split(","))) < 200) is dark
    assert page.errors == []


def test_the_table_needs_no_scrolling_in_a_common_window(page, whole_page):
    page.open(whole_page, 1280, 900)
    sides = "[one.scrollWidth, one.clientWidth]"
    needed, there = page.run(f"(({{ parentNode: one }}) => {sides})({TABLE})")
    assert needed <= there
    # In a narrow one the names of the methods stay where they are.
    page.open(whole_page, 700, 900)
    needed, there = page.run(f"(({{ parentNode: one }}) => {sides})({TABLE})")
    assert needed > there
    name = f"Math.round({TABLE}.querySelector('tbody th').getBoundingClientRect().left)"
    before = page.run(name)
    page.run(f"{TABLE}.parentNode.scrollLeft = 200")
    assert page.run(name) == before


TABLE = "document.querySelector('.results')"
FORWARD = (
    "[...new Set([...document.querySelectorAll('.curves .series')]"
    ".filter((one) => getComputedStyle(one).opacity === '1').map((one) => one.dataset.method))]"
)


def test_the_legend_brings_curves_forward_by_mouse_and_keyboard(opened):
    def key(name):
        return f"document.querySelector('.series-key[data-method={name}]')"

    def press(code, **more):
        for kind in ("rawKeyDown", "keyUp"):
            opened.call("Input.dispatchKeyEvent", type=kind, key=code, code=code, **more)

    everything = opened.run(FORWARD)
    assert set(everything) >= {"tophat", "boxes"}
    opened.run(f"{key('boxes')}.dispatchEvent(new MouseEvent('mouseenter'))")
    assert opened.run(FORWARD) == ["boxes"]
    opened.run(f"{key('boxes')}.dispatchEvent(new MouseEvent('mouseleave'))")
    assert opened.run(FORWARD) == everything
    opened.run(f"{key('tophat')}.click()")
    assert opened.run(f"{key('tophat')}.getAttribute('aria-pressed')") == "true"
    opened.run(f"{key('boxes')}.click()")
    assert set(opened.run(FORWARD)) == {"tophat", "boxes"}
    press("Escape", windowsVirtualKeyCode=27)
    assert opened.run(FORWARD) == everything
    # From the last key of the legend one step back with the keyboard.
    opened.run(f"{key('boxes')}.focus()")
    press("Tab", windowsVirtualKeyCode=9, modifiers=8)
    focused = opened.run("document.activeElement.dataset.method")
    assert opened.run(FORWARD) == [focused] != ["boxes"]


def test_on_paper_it_is_light_whole_and_without_controls(page, whole_page):
    page.open(whole_page, 1280, 900, dark=True)
    page.show_on("print", dark=True)
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = "[...document.querySelectorAll('.script, .methods, dialog')]"
    assert set(page.run(f"{hidden}.map((one) => one.offsetHeight)")) == {0}
    assert page.run(f"getComputedStyle({TABLE}.parentNode).overflowX") == "visible"
    closed = "document.querySelectorAll('section.data details:not([open]):not(.columns)').length"
    before = page.run(closed)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run(closed) == 0 < before
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(closed) == before
