"""A headless Chromium for tests of pages, driven through chromedriver with plain HTTP: no dependency."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from urllib.request import Request, urlopen

PROGRAMS = ("chromium", "chromedriver")
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
)
PATIENCE_S = 60


def missing():
    """Return the programs that are not there."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Browser:
    """One window of a running browser."""

    def __init__(self, port, folder):
        self.base = f"http://127.0.0.1:{port}/session"
        options = {
            "binary": shutil.which("chromium"),
            "args": [*SWITCHES, f"--user-data-dir={folder}/profile", "--window-size=1200,900"],
        }
        session = self._call(
            "POST",
            "",
            {
                "capabilities": {
                    "alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}},
                }
            },
        )
        self.base += "/" + session["sessionId"]

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)["value"]

    def open(self, path):
        """Load a file, until everything in it has run."""
        self._call("POST", "/url", {"url": path.absolute().as_uri()})

    def run(self, script, *arguments):
        """Run JavaScript, and return what it returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def until(self, script, *arguments):
        """Wait until a script gives something true, a minute at most; return the last it gave."""
        stop_s = time.monotonic() + 60
        while not (value := self.run(script, *arguments)) and time.monotonic() < stop_s:
            time.sleep(0.05)
        return value

    def devtools(self, command, **parameters):
        """Run a command of the DevTools protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def element(self, selector):
        """Return a handle of the first element that a CSS selector finds."""
        return next(iter(self._call("POST", "/element", {"using": "css selector", "value": selector}).values()))

    def click(self, selector):
        """Click on an element as a user does."""
        self._call("POST", f"/element/{self.element(selector)}/click", {})

    def type(self, selector, text):
        """Type into an element."""
        self._call("POST", f"/element/{self.element(selector)}/value", {"text": text})

    def press(self, key):
        """Press a key, wherever the focus is."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    def complaints(self):
        """Return what the console has shown since the last call."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def pdf(self):
        """Print to PDF."""
        return base64.b64decode(self._call("POST", "/print", {}))

    def look(self, *, width=1200, height=900, dark=False):
        """Set the size of the page and whether it is dark."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, *, whole=False):
        """Return a PNG of the window, or of the whole page."""
        return base64.b64decode(
            self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        )

    def close(self):
        """End the browser."""
        self._call("DELETE", "")


@contextmanager
def browser(folder):
    """Start a browser that keeps its files in a folder, and end it."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        for line in driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                break
        else:
            message = "chromedriver did not start"
            raise RuntimeError(message)
        window = Browser(int(found[1]), folder)
        try:
            yield window
        finally:
            window.close()
    finally:
        driver.terminate()
        driver.wait(PATIENCE_S)
        driver.stdout.close()
