"""A clerk uploads two gigabytes in a browser: the network goes away, the page is loaded anew, the last line is broken.

The file is that of `ingest`, cut to size. Chromium is driven as a person would: choose, press 上传; at a third the
network is away for five seconds; at two thirds the page is loaded again and the same file chosen. Then the product's
own collector loads it. The browser shares the machine with everything else.

Bars: the bytes that landed are those of the file; every good row is held, the broken line is told with its number;
nothing was sent twice but the pieces under way; no web process above 512 MB.
"""

import hashlib
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import Installation, installation
from machine import Others, machine, sizes
from registrations import BROKEN, DATASET, ROW_BYTES, generate

MEGABYTES = 512  # of one web process
AGAIN = 0.05  # share of the file that may be sent a second time
AWAY_S = 5
PATIENCE_S = 1800


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, mb=2040)
    folder = Path(tempfile.mkdtemp(prefix="yiwang-bench-"))
    try:
        rows = chosen["mb"] * 2**20 // ROW_BYTES
        file = folder / "登记注册.csv"
        expected = generate(file, folder / "change.csv", rows, 10)
        with file.open("ab") as out:
            out.write(BROKEN)
        with installation() as place:
            others = Others(place.var)
            with Memory(place) as memory:
                figures = _upload(place, file)
                delivery, figures["load_s"] = _loaded()
            used = others.used(place.process.pid)
            from yiwang.kernel.files.store import path_of

            landed = _sha256(path_of(delivery.sha256))
        whole = landed == _sha256(file)
        good = delivery.counts["good"] + delivery.counts["repeated"] == rows - expected["bad"]
        told = any(m["row"] == rows + 2 for m in delivery.messages)  # the header is line 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "bench": "upload",
        "machine": machine(),
        "sizes": {**chosen, "rows": rows},
        "figures": {**figures, "web_mb": memory.most, "counts": delivery.counts, **used},
        "bars": {
            "landed_whole": {"bar": True, "figure": whole, "holds": whole},
            "good_rows_held": {"bar": True, "figure": good, "holds": good},
            "broken_line_told": {"bar": True, "figure": told, "holds": told},
            "sent_again": {
                "bar": AGAIN,
                "figure": figures["sent_again"],
                "holds": figures["sent_again"] <= AGAIN,
            },
            "web_mb": {"bar": MEGABYTES, "figure": memory.most, "holds": memory.most <= MEGABYTES},
        },
    }


class Memory:
    """The most that one web process held, in megabytes, sampled."""

    def __init__(self, place: Installation) -> None:
        self.most, self._root, self._stop = 0, place.process.pid, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        while not self._stop.wait(0.5):
            for process in psutil.Process(self._root).children(recursive=True):
                try:
                    if any("granian" in part for part in process.cmdline()):
                        self.most = max(self.most, process.memory_info().rss >> 20)
                except psutil.Error:
                    continue


def _upload(place: Installation, file: Path) -> dict:
    """Drive the browser until the delivery's page is there."""
    from playwright.sync_api import sync_playwright

    sent: list[str] = []
    away = False
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(locale="zh-CN", base_url=f"http://localhost:{place.port}")
        page = context.new_page()
        page.goto("/accounts/login/")
        with page.expect_navigation():
            page.click('button[name="username"][value="reporter_sd"]')
        page.on("request", lambda r: sent.append(r.url) if "?offset=" in r.url and not away else None)
        began = time.monotonic()
        _choose(page, file)
        _until(page, 1 / 3)
        away = True
        context.set_offline(True)
        page.wait_for_timeout(1000 * AWAY_S)
        context.set_offline(False)
        away = False
        _until(page, 2 / 3)
        page.reload()
        _choose(page, file)
        went_on = _until(page, 0.0001)
        page.wait_for_url("**/desk/hub/deliveries/**", timeout=PATIENCE_S * 1000)
        seconds = time.monotonic() - began
        browser.close()
    size = file.stat().st_size
    pieces = -(-size // (8 << 20))
    return {
        "file_mb": size >> 20,
        "upload_s": round(seconds, 1),
        "mb_s": round((size >> 20) / seconds, 1),
        "went_on_at": round(went_on, 3),
        "sent_again": round((len(sent) - pieces) / pieces, 4),
    }


def _choose(page, file: Path) -> None:
    page.goto(f"/desk/hub/{DATASET}/upload")
    page.set_input_files("#file", file)
    page.click("main form.act button")


def _until(page, share: float) -> float:
    """Wait until the progress bar shows a share of the file; returns what it shows."""
    page.wait_for_function(
        "share => document.querySelector('progress').value >= 100 * share",
        arg=share,
        timeout=PATIENCE_S * 1000,
    )
    return page.evaluate("document.querySelector('progress').value / 100")


def _loaded():
    """Wait for the collector; the delivery, and the seconds it took."""
    from yiwang.engines.hub.models import Delivery
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    began = time.monotonic()
    while time.monotonic() < began + PATIENCE_S:
        with acting(SYSTEM):
            delivery = Delivery.objects.filter(dataset=DATASET).order_by("-seq").first()
        if delivery.state in ("loaded", "refused"):
            if delivery.state == "refused":
                raise RuntimeError(delivery.error)
            return delivery, round(time.monotonic() - began, 1)
        time.sleep(0.5)
    raise RuntimeError(f"not loaded within {PATIENCE_S} s: {delivery.state}")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
