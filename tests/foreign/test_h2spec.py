"""Every case of h2spec, also those that it calls strict."""

import os
import re
import subprocess

from servers import WithGateway


class H2spec(WithGateway):
    def run_all(self, *more):
        command = [os.environ["H2SPEC"], "--strict", "--host", "127.0.0.1", "--port", str(self.port), *more]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
        told = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", ran.stdout)
        self.assertIsNotNone(told, ran.stdout + ran.stderr)
        print(f"h2spec {' '.join(more) or 'plain'}: {told[0]}", flush=True)
        tests, passed, skipped, failed = map(int, told.groups())
        self.assertEqual((failed, ran.returncode), (0, 0), ran.stdout[-8000:])
        self.assertGreater(tests, 140)
        self.assertLessEqual(skipped, 1)
        self.assertEqual(tests, passed + skipped)

    def test_plain(self):
        self.run_all()

    def test_tls(self):
        self.run_all("--tls", "--insecure")
