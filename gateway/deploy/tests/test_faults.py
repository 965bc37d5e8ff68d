"""Breaks copies of the manifests, one fault at a time: the check has to find each, and say what it is."""

import os
import shutil
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path

import yaml

from checker import image, pages
from checker.rules import check

DEPLOY = Path(__file__).parent.parent
ROOT = DEPLOY.parent.parent
FAULTS = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text())


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.deploy = self.root / "gateway/deploy"
        shutil.copytree(DEPLOY, self.deploy, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "docs", self.root / "docs")
        for name in ("gateway/README.md", "Cargo.toml"):
            shutil.copy(ROOT / name, self.root / name)
        # Enough to be there: that Cargo reads it is checked in the repository itself.
        for name in ("Cargo.lock", "core", "embedded", "cli", "bindings", "bench", "tests", "tools"):
            (self.root / name).mkdir()

    @contextmanager
    def broken(self, file, old, new):
        path = self.root / file
        whole = path.read_text()
        self.assertIn(old, whole, f"{file} has changed: this fault needs another place")
        path.write_text(whole.replace(old, new))
        try:
            yield
        finally:
            path.write_text(whole)

    def whole(self):
        overlays = [folder.name for folder in (self.deploy / "overlays").iterdir()]
        return [*image.complaints(self.root), *pages.complaints(self.root, overlays)]

    def test_what_is_whole_passes(self):
        for overlay in sorted({fault["overlay"] for fault in FAULTS if "overlay" in fault}):
            self.assertEqual(check(self.deploy / "overlays" / overlay), [])
        self.assertEqual(self.whole(), [])

    def test_every_fault_is_found(self):
        for fault in FAULTS:
            overlay = fault.get("overlay")
            file = f"gateway/deploy/{fault['file']}" if overlay else fault["file"]
            with self.subTest(fault["fault"]), self.broken(file, fault["replace"], fault["by"]):
                found = check(self.deploy / "overlays" / overlay) if overlay else self.whole()
                self.assertIn(fault["says"], "\n".join(found))

    @unittest.skipUnless(os.environ.get("GATEWAY_PROGRAM"), "hotrod-gateway has not been built")
    def test_what_the_gateway_itself_refuses_is_found(self):
        # An option that it has, and that means nothing here: only the program knows.
        with self.broken(
            "gateway/deploy/bases/front/deployment.yaml", "--buffer=32KiB", "--buffer=32KiB\n            - --members=3"
        ):
            found = check(self.deploy / "overlays/front-route", os.environ["GATEWAY_PROGRAM"])
        self.assertIn("the gateway refuses it: --members: means nothing without --embedded", "\n".join(found))


if __name__ == "__main__":
    unittest.main()
