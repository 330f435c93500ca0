"""Pictures of every page, for looking at: python -m tests.web.shots FOLDER."""

import sys
import tempfile
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

from bot.web.pages import create_pages
from tests.web.house import House
from tests.web.story import furnish

MODEL = "/models/octo/bikes/bike-demand"


class Quiet(WSGIRequestHandler):
    """Serves without a word."""

    def log_message(self, *args: object) -> None:
        """Nothing."""


def main(out: Path, only: str = "") -> None:
    """Serve a furnished house and photograph it, on a desk and on a phone, in light and in dark."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        runs = furnish(house)
        server = make_server("127.0.0.1", 0, create_pages(house.views()), handler_class=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        pages = {"runs": "/", "none": "/?model=octo/bikes/none", "models": "/models", "404": "/nothing", "model": MODEL}
        pages |= {"version": f"{MODEL}/versions/2"}
        pages |= {f"run-{run.id}-{run.spec.kind}-{run.state}": f"/runs/{run.id}" for run in runs}
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
            for device, size in {"desk": (1280, 900), "phone": (390, 844)}.items():
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
                    page.on("console", lambda message: print("console:", message.text))
                    for name, path in pages.items():
                        if only not in f"{name}-{device}-{scheme}":
                            continue
                        page.goto(base + path)
                        page.screenshot(path=out / f"{name}-{device}-{scheme}.png", full_page=True)
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
