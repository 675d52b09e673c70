"""A whole visit in a real browser: sign in, photographs by the real tus-js-client, cover, close, score by keyboard, sign, read the score.

Needs Chromium; Debian's is found at /usr/bin/chromium. Every page is also checked by axe-core without serious findings, and walked
through with the Tab key alone.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
PASSWORD = "demo-only-password"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These tests do not touch the session's portal (and Django refuses its database beside Playwright's event loop)."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo, served on a free port; stopped at the end."""
    folder = tmp_path_factory.mktemp("served") / "portal"
    code = "from pasi_vision.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if name not in ("PASI_PORTAL_DIR", "DATABASE_URL")}
    subprocess.run(
        [sys.executable, "-c", code, "portal", "demo", str(folder), "--no-serve"],
        check=True,
        env=environment,
        timeout=600,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = subprocess.Popen(
        [sys.executable, "-c", code, "portal", "run", str(folder), "--port", str(port), "--workers", "1"],
        env=environment,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/alive/", timeout=2)
            break
        except OSError:
            time.sleep(0.2)
    yield address
    os.killpg(served.pid, signal.SIGTERM)
    served.wait(timeout=60)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("axe_playwright_python", reason="the pages are checked by axe-core")
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=quiet)


class Visitor:
    """A signed-in person; errors on the page's console fail the test."""

    def __init__(self, chromium: Any, site: str, name: str, size: str = "desktop") -> None:
        self.context = chromium.new_context(viewport=SIZES[size], bypass_csp=True)
        self.context.set_default_timeout(60_000)
        self.page, self.site = self.context.new_page(), site
        self.wrong: list[str] = []
        self.page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.go("/account/login/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("details.who")

    def go(self, path: str, *, check: bool = True) -> None:
        answer = self.page.goto(self.site + path)
        assert answer.status == 200, path
        if check:
            self.check()

    def check(self) -> None:
        """No sideways scrolling, no serious accessibility finding."""
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, self.page.url
        self.page.add_script_tag(path=str(files("axe_playwright_python") / "axe.min.js"))
        found = self.page.evaluate(
            "async () => (await axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html])"
        )
        assert not [v for v in found if v[0] in ("serious", "critical")], (self.page.url, found)

    def first(self, path: str, selector: str) -> str:
        """Where the first such link of a list leads; the list itself is checked where it is looked at for its own sake."""
        self.go(path, check=False)
        return str(self.page.locator(selector).first.get_attribute("href"))

    def close(self) -> None:
        self.context.close()
        assert not self.wrong


def picture(folder: Path, number: int) -> str:
    from pasi_vision.anatomy import View
    from pasi_vision.portal.demo import _drawn

    path = folder / f"name of a patient {number}.jpg"
    path.write_bytes(_drawn(View.TRUNK_FRONT, 1000 + number))
    return str(path)


def test_a_whole_visit_from_photographs_to_the_signed_score(chromium: Any, site: str, tmp_path: Path) -> None:
    nurse = Visitor(chromium, site, "nurse")
    page = nurse.page
    visit = nurse.first("/subjects/", "tr:has-text('S01-002') a.state.open")
    nurse.go(visit)
    for number, view in enumerate(("head_front", "trunk_front")):
        page.locator(f"[data-view={view}] input.pick").set_input_files(picture(tmp_path, number))
        page.locator(f"[data-view={view}] figure.photo").wait_for()
        page.locator(f"[data-view={view}] .arrival.good-news, [data-view={view}] .arrival.bad-news").wait_for()
    assert "name of a patient" not in page.content()
    nurse.go(visit)
    page.locator("[data-view=head_front] >> text=Yes, cover it").click()
    page.wait_for_selector("#stage")
    page.get_by_role("button", name="Add a rectangle").click()
    for key in ("ArrowLeft", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Cover these places").click()
    page.wait_for_url(f"**{visit}")
    page.locator("[data-view=trunk_front] >> text=No, nobody").click()
    page.wait_for_load_state()
    for kept in page.locator(".badge.bad").all():  # what the check asked to take again is a gap like any other
        assert kept.is_visible()
    for field in page.locator("input[name^=reason-]").all():
        field.fill("Not possible today.")
    page.get_by_role("button", name="Close the visit").click()
    page.wait_for_selector("h1 .state.closed")
    nurse.close()

    doctor = Visitor(chromium, site, "doctor2")
    doctor.go(doctor.first("/readings/", "ol.lines a"))
    page = doctor.page
    assert "S01" not in page.content()
    look_closer(page)
    for region in ("head_neck", "upper_limbs", "trunk", "lower_limbs"):
        page.locator(f"[name='{region}.area_percent']").fill("10")
        for sign in ("erythema", "induration", "scaling"):
            page.locator(f"[name='{region}.{sign}']").first.focus()
            for _ in range(2):
                page.keyboard.press("ArrowRight")
    page.wait_for_selector("#draft-said:has-text('Complete')")
    page.reload()
    assert page.locator("[name='trunk.area_percent']").input_value() == "10.0", "the draft survived"
    page.get_by_label("Your password").fill("wrong password")
    page.get_by_role("button", name="Sign", exact=True).click()
    page.wait_for_selector("#sign-said:has-text('password is wrong')")
    doctor.wrong.clear()  # the browser notes the refused request itself
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Sign", exact=True).click()
    page.wait_for_url("**/readings/")
    doctor.close()

    analyst = Visitor(chromium, site, "analyst")
    analyst.go("/subjects/")
    closed = [str(link.get_attribute("href")) for link in analyst.page.locator("a.state.closed").all()]
    shown = 0
    for address in closed:  # which of the two closed visits came first in the doctor's queue is a matter of chance
        analyst.go(address)
        shown += analyst.page.locator("td.number", has_text="12.0").count()
    assert shown >= 1, "6 x 2 in every region: PASI 12.0"
    analyst.close()


def look_closer(page: Any) -> None:
    """Zoom and side by side, with the keys that the page names."""
    first, second = page.locator(".pane").first, page.locator(".pane").nth(1)
    assert not second.is_visible()
    first.focus()
    page.keyboard.press("s")
    assert second.is_visible()
    page.keyboard.press("+")
    zoomed = "() => document.querySelector('.pane img').style.transform"
    assert "scale(1)" not in page.evaluate(zoomed)
    assert "scale(" in page.evaluate(zoomed)
    page.keyboard.press("0")
    assert "scale(1)" in page.evaluate(zoomed) or page.evaluate(zoomed) == ""
    page.keyboard.press("s")
    assert not second.is_visible()


_DROP = """([selector, name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dropped = new DataTransfer();
  dropped.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const place = document.querySelector(selector);
  const options = { dataTransfer: dropped, bubbles: true, cancelable: true };
  for (const kind of ["dragover", "drop"]) place.dispatchEvent(new DragEvent(kind, options));
}"""


def test_a_photograph_is_dropped_on_its_view_and_another_comes_from_a_phone(
    chromium: Any, site: str, tmp_path: Path
) -> None:
    nurse = Visitor(chromium, site, "nurse")
    visit = nurse.first("/subjects/", "tr:has-text('S01-001') a.state.open")
    nurse.go(visit)
    view = "[data-view=lower_limbs_back]"
    before = nurse.page.locator(f"{view} figure.photo").count()
    data = base64.b64encode(Path(picture(tmp_path, 11)).read_bytes()).decode()
    nurse.page.evaluate(_DROP, [view, "name of a patient.jpg", data])
    nurse.page.locator(f"{view} figure.photo").nth(before).wait_for()
    assert "name of a patient" not in nurse.page.content()
    nurse.close()

    phone = Visitor(chromium, site, "nurse", "phone")
    phone.go(f"{visit}camera/?view=palms")
    assert phone.page.locator("input.pick").get_attribute("capture") == "environment"
    phone.page.locator("input.pick").set_input_files(picture(tmp_path, 12))
    phone.page.locator(".arrival.good-news, .arrival.bad-news").wait_for()
    phone.go(visit)
    assert phone.page.locator("[data-view=palms] figure.photo").count() == 1
    phone.close()


def test_an_analyst_sees_the_models_outlines_on_a_visit_and_a_nurse_does_not(chromium: Any, site: str) -> None:
    """The released model has looked at the demo's photographs in the background."""
    analyst = Visitor(chromium, site, "analyst")
    visit = analyst.first("/subjects/", "tr:has-text('S01-001') a.state.closed")
    outlines = analyst.page.locator("figure.photo path.outline")
    for _ in range(90):
        analyst.go(visit)
        if outlines.count() == 7:
            break
        time.sleep(2)
    assert outlines.count() == 7, "a photograph of each required view but one"
    assert [d for d in outlines.evaluate_all("all => all.map(each => each.getAttribute('d'))") if d.startswith("M")]
    shown = "all => all.filter(each => each.checkVisibility()).length"
    assert outlines.evaluate_all(shown) == 7
    analyst.page.get_by_label("Show the model's outlines").uncheck()
    assert outlines.evaluate_all(shown) == 0
    analyst.close()
    nurse = Visitor(chromium, site, "nurse")
    nurse.go(visit)
    assert nurse.page.locator("path.outline, .show-outline").count() == 0
    nurse.close()


PAGES = {
    "nurse": (
        "/",
        "/subjects/",
        "/tables/",
        "/queries/",
        "/dashboard/",
        "/study/",
        "/tokens/",
        "/help/api/",
        "/account/password/change/",
        "/account/2fa/",
    ),
    "doctor": ("/readings/",),
    "monitor": ("/dashboard/", "/trail/", "/queries/"),
    "analyst": ("/dashboard/", "/exports/"),
    "admin": ("/dashboard/", "/people/", "/jobs/", "/trail/", "/study/"),
}


def inner_pages(visitor: Visitor, name: str) -> list[str]:
    """Pages that are reached from a list: a visit, a photograph, a reading ..."""
    if name == "doctor":
        visitor.go("/readings/")
        return [str(link.get_attribute("href")) for link in visitor.page.locator("ul.lines a, ol.lines a").all()]
    if name == "admin":
        return []
    closed = visitor.first("/subjects/", "a.state.closed")
    photograph = visitor.first(closed, "figure a")
    pages = [visitor.first("/subjects/", "tbody a"), closed, photograph]
    if name == "nurse":
        visit = visitor.first("/subjects/", "a.state.open")
        started = str(visitor.page.locator("tr:has-text('S01-001') a.state.open").first.get_attribute("href"))
        pages += [visit, f"{visit}camera/", f"{visitor.first(started, 'figure a')}cover/"]
    return pages


_REACH = """() => {
  const folded = "details:not([open]) > :not(summary)";
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(folded);
  const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(kinds)];
  return all.filter((element) => shown(element) && !element.disabled && element.type !== "radio").map((element, index) => {
    element.dataset.reach = index;
    return element.outerHTML.slice(0, 120);
  });
}"""
_FOCUSED = """() => {
  const element = document.activeElement;
  const marked = element.matches("input[type=file].pick") ? element.parentElement : element;
  return [element.dataset.reach ?? null, getComputedStyle(marked).outlineStyle !== "none" || element.matches("main, body, html")];
}"""


@pytest.mark.parametrize("name", ["nurse", "doctor", "monitor"])
def test_everything_is_reached_and_seen_with_the_tab_key(name: str, chromium: Any, site: str) -> None:
    visitor = Visitor(chromium, site, name)
    for path in (*PAGES[name][:3], *inner_pages(visitor, name)):
        visitor.go(path)
        wanted = visitor.page.evaluate(_REACH)
        reached, unseen = set(), []
        for _ in range(3 * len(wanted) + 40):
            visitor.page.keyboard.press("Tab")
            number, is_seen = visitor.page.evaluate(_FOCUSED)
            if number is not None:
                reached.add(int(number))
                if not is_seen:
                    unseen.append(wanted[int(number)])
            if len(reached) == len(wanted):
                break
        assert not unseen, (path, unseen)
        assert len(reached) == len(wanted), (path, [html for n, html in enumerate(wanted) if n not in reached])
    visitor.close()


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_has_no_errors(size: str, chromium: Any, site: str) -> None:
    for name, pages in PAGES.items():
        visitor = Visitor(chromium, site, name, size)
        for page in pages:
            visitor.go(page)
        for page in inner_pages(visitor, name):
            visitor.go(page)
        visitor.close()
