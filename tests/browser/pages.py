"""The pages in a browser: opened, read without a script, live, filtered, attacked, and looked at with axe.

    python -m venv out/browser && out/browser/bin/pip install -r tests/browser/requirements.txt
    out/browser/bin/python tests/browser/pages.py [--screenshots DIR [--small]] [--study DIR --testbed DIR]

Needs Chromium (`chromium` on the path, or AAR_CHROMIUM) and cargo (or AAR_SHOWN_STUDY, the example that it would build). Exit status 1 where something does not hold.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["", "leaderboard", "researchers", "forum", "evaluations", "lineage", "diversity", "transfer", "integrity", "access"]
PARTS = ["forum/1", "evaluations/20", "researchers/search-01", "researchers/search-01/transcript?at=1"]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1200, "height": 900}


class Study:
    """A study that is being served, until it is closed."""

    def __init__(self, arguments):
        built = os.environ.get("AAR_SHOWN_STUDY")
        if not built:
            # Of the whole workspace, as the tests build it: alone it has other features, and its dependencies are compiled once more.
            how = ["cargo", "build", "--release", "--quiet", "--workspace", "--example", "shown_study"]
            subprocess.run(how, cwd=ROOT, check=True)
            target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
            built = ROOT / target / "release" / "examples" / "shown_study"
        self.process = subprocess.Popen(
            [built, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.link, self.viewer = (self.process.stdout.readline().strip() for _ in range(2))
        if not self.link.startswith("http"):
            sys.exit("the study was not served")
        parts = urlsplit(self.link)
        self.base = f"{parts.scheme}://{parts.netloc}/"

    def evaluate(self, name):
        self.process.stdin.write(f"evaluate {name}\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Checks:
    """What holds and what does not, a line each."""

    def __init__(self):
        self.failed = 0

    def __call__(self, what, holds, detail=""):
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {what}" + (f": {detail}" if detail and not holds else ""), flush=True)


def entered(browser, study, cookies, **more):
    """A browser context with a session."""
    context = browser.new_context(**{"viewport": DESK, **more})
    context.add_cookies(cookies)
    return context


def session(browser, link):
    """The cookie that a link becomes."""
    context = browser.new_context()
    context.new_page().goto(link)
    cookies = context.cookies()
    context.close()
    return cookies


def every_page(browser, study, cookies, check):
    context = entered(browser, study, cookies)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in PAGES + PARTS:
        said.clear()
        answer = page.goto(study.base + path)
        check(f"/{path} opens", answer.status == 200 and page.locator("h1").count() == 1 and not said, said)
    page.goto(study.base)
    for name in ["Leaderboard", "Forum", "Diversity", "Integrity"]:
        page.get_by_role("link", name=name, exact=True).click()
        check(f"the menu leads to {name}", page.locator("h1").inner_text() == name)
    page.keyboard.press("Home")
    page.goto(study.base + "leaderboard")
    page.keyboard.press("Tab")
    check("the first stop of the keyboard skips the menu", page.evaluate("document.activeElement.className") == "skip")
    context.close()
    context = entered(browser, study, cookies, java_script_enabled=False)
    page = context.new_page()
    for path, wanted in [("", "figure svg"), ("leaderboard", "tbody tr"), ("forum", ".post"), ("diversity", "svg")]:
        page.goto(study.base + path)
        check(f"/{path} reads without a script", page.locator(wanted).count() > 0)
    context.close()


def phone(browser, study, cookies, check):
    context = entered(browser, study, cookies, viewport=PHONE, is_mobile=True, has_touch=True)
    page = context.new_page()
    for path in PAGES + PARTS:
        page.goto(study.base + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        check(f"/{path} fits a phone", wide <= PHONE["width"], f"{wide} pixels")
    context.close()


def live(browser, study, cookies, check):
    context = entered(browser, study, cookies)
    page = context.new_page()
    page.goto(study.base + "evaluations")
    page.wait_for_function("document.getElementById('live').textContent.startsWith('live')")
    page.evaluate("window.same = true; scrollTo(0, 300)")
    study.evaluate("what arrived live")
    page.get_by_text("what arrived live").wait_for(timeout=15000)
    check("news arrive without a reload", page.evaluate("window.same"))
    check("and the page does not jump", abs(page.evaluate("scrollY") - 300) < 60, page.evaluate("scrollY"))
    context.close()


def filtered(browser, study, cookies, check):
    context = entered(browser, study, cookies)
    page = context.new_page()
    page.goto(study.base + "leaderboard")
    family = page.locator("select[name=family] option").nth(1).get_attribute("value")
    page.select_option("select[name=family]", family)
    page.select_option("select[name=sort]", "new")
    page.get_by_role("button", name="Show").click()
    page.wait_for_load_state()
    rows = page.locator("tbody tr").all_inner_texts()
    families = set(page.locator("tbody tr td:nth-child(11)").all_inner_texts())
    check("a filter filters", rows and families == {family}, families)
    again = context.new_page()
    again.goto(page.url)
    check("its URL opens the same", again.locator("tbody tr").all_inner_texts() == rows and f"family={family}" in page.url)
    page.goto(study.base + "forum")
    page.get_by_label("search").fill("quarantine palimpsest obsidian")
    page.get_by_label("search").press("Enter")
    posts = page.locator(".post")
    check("the forum is searched", "q=quarantine+palimpsest" in page.url and 0 < posts.count() < 40, posts.count())
    context.close()


def columns(browser, study, cookies, check):
    """What a leaderboard must say, and the way to what is behind a row."""
    context = entered(browser, study, cookies)
    page = context.new_page()
    page.goto(study.base + "leaderboard")
    heads = set(page.locator("thead th").all_inner_texts())
    wanted = {"rank", "PGR [95 %]", "0 … 1", "rung", "p plain", "by", "integrity", "without teacher", "seeds", "CPU-s"}
    check("a leaderboard has all its columns", wanted <= heads, wanted - heads)
    page.get_by_role("link", name="bundle and diff").first.click()
    check("a row leads to its bundle and what was changed", page.locator("#bundle").is_visible() and page.locator("pre.diff").count() > 0)
    page.goto(study.base + "researchers")
    lanes = page.locator("td.time svg")
    said = [lane.get_attribute("aria-label") for lane in lanes.all()]
    check("everybody's time is drawn", len(said) == 8 and all("thinking" in lane for lane in said), said)
    check("one of them hung", any("hung" in lane for lane in said), said)
    for name, begins in [("figures/timeline.svg", "<svg"), ("data/timeline.csv", '"researcher"')]:
        check(f"/{name} is taken away", context.request.get(study.base + name).text().startswith(begins))
    context.close()


def transcript(browser, study, cookies, check):
    context = entered(browser, study, cookies)
    page = context.new_page()
    page.goto(study.base + "researchers")
    page.get_by_role("link", name="search-01", exact=True).click()
    check("a researcher's notebook is shown", page.get_by_role("heading", name="What I know").count() == 1)
    page.get_by_role("link", name="What it and its language model said").click()
    check("a transcript opens at its newest part", page.get_by_text("newest ⇥").count() == 0 and page.locator("article").count() > 0)
    fold = page.locator("details.fold").last
    check("tools are folded", not fold.evaluate("fold => fold.open"))
    fold.locator("summary").click()
    check("and unfold", fold.locator("pre").is_visible())
    page.get_by_label("search").fill("OBSIDIAN needle")
    page.get_by_label("search").press("Enter")
    check("a transcript is searched", page.locator("mark").first.inner_text() == "obsidian" and "q=OBSIDIAN" in page.url)
    page.locator("article a").first.click()
    line = page.url.rsplit("#", 1)[1]
    check("and a hit leads to its line", page.locator(f"#{line}").get_by_text("obsidian needle").first.is_visible(), page.url)
    check("where nothing it says runs", page.evaluate("window.harmed") is None)
    context.close()


def steered(browser, study, cookies, check):
    context = entered(browser, study, cookies)
    page = context.new_page()
    page.goto(study.base + "researchers")
    row = page.locator("tr", has=page.get_by_role("link", name="search-03", exact=True))
    row.get_by_role("button", name="Pause").click()
    row = page.locator("tr", has=page.get_by_role("link", name="search-03", exact=True))
    check("a researcher is paused", row.get_by_text("paused by the operator").count() == 1)
    row.get_by_role("button", name="Go on").click()
    row = page.locator("tr", has=page.get_by_role("link", name="search-03", exact=True))
    check("and goes on", row.get_by_text("paused by the operator").count() == 0)
    context.close()


def hostile(browser, study, cookies, check):
    context = entered(browser, study, cookies)
    page = context.new_page()
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(study.base + "forum?q=window.harmed")
    page.locator(".post h3 a").first.click()
    page.locator("a", has_text="x").last.click()
    check("a hostile post does nothing", page.evaluate("window.harmed") is None and not dialogs)
    check("and is shown as it is", page.locator("h2", has_text="<script>").count() == 1)
    context.close()


def accessible(browser, study, cookies, check):
    import axe_playwright_python

    script = pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js"
    for scheme in ["light", "dark"]:
        # The policy allows no foreign script on the pages: it is set aside for axe's own.
        context = entered(browser, study, cookies, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        for path in PAGES + PARTS:
            page.goto(study.base + path)
            page.add_script_tag(path=script)
            found = page.evaluate("axe.run()")["violations"]
            serious = [
                (rule["id"], [node["target"] for node in rule["nodes"]][:3])
                for rule in found
                if rule["impact"] in ("serious", "critical")
            ]
            check(f"/{path} is accessible, {scheme}", not serious, json.dumps(serious))
        context.close()


def roles(browser, study, check):
    cookies = session(browser, study.viewer)
    context = entered(browser, study, cookies)
    page = context.new_page()
    page.goto(study.base + "access")
    check("a viewer makes no links", page.locator("button").count() == 0)
    answer = page.goto(study.base + "researchers/search-01/transcript")
    check("and reads no transcript while the study runs", answer.status == 403, answer.status)
    context.close()
    context = browser.new_context()
    answer = context.new_page().goto(study.viewer)
    check("a link works once", answer.status == 401, answer.status)
    context.close()


def pictures(browser, study, cookies, folder, small):
    """Every page in every look; small ones are for the repository (`docs/img/pages`)."""
    folder.mkdir(parents=True, exist_ok=True)
    looks = {
        "light": {"viewport": DESK},
        "dark": {"viewport": DESK, "color_scheme": "dark"},
        "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
    }
    kind = {"type": "jpeg", "quality": 60} if small else {"type": "png"}
    for look, more in looks.items():
        if small:
            more = {**more, "device_scale_factor": 0.75}
        context = entered(browser, study, cookies, **more)
        page = context.new_page()
        for path in PAGES + PARTS:
            page.goto(study.base + path)
            page.wait_for_timeout(200)
            name = path.split("?")[0].replace("/", "-") or "study"
            page.screenshot(path=folder / f"{name}-{look}.{'jpg' if small else 'png'}", **kind)
        context.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--small", action="store_true", help="screenshots for the repository")
    parser.add_argument("--study", help="a folder with study.db")
    parser.add_argument("--testbed", help="the testbed it was run on")
    options = parser.parse_args()
    chromium = os.environ.get("AAR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("skipped: no Chromium on this host, so no page was opened in a browser")
        return 0
    check = Checks()
    study = Study([part for part in (options.study, options.testbed) if part])
    try:
        with sync_playwright() as playwright:
            # Inside a container there is no user namespace for Chromium's own sandbox.
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            cookies = session(browser, study.link)
            if options.screenshots:
                pictures(browser, study, cookies, options.screenshots, options.small)
            if not options.study:
                for part in [every_page, phone, live, filtered, columns, transcript, hostile, accessible]:
                    part(browser, study, cookies, check)
                roles(browser, study, check)
                running = Study(["running"])
                try:
                    steered(browser, running, session(browser, running.link), check)
                finally:
                    running.close()
            browser.close()
    finally:
        study.close()
    print(f"{check.failed} checks failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
