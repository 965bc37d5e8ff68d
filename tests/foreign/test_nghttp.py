"""nghttp, the client of nghttp2."""

import subprocess

from servers import LONG, WithGateway


class Nghttp(WithGateway):
    def nghttp(self, *arguments):
        ran = subprocess.run(
            ["nghttp", "--timeout", f"{LONG}s", *arguments], capture_output=True, text=True, timeout=2 * LONG)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout

    def test_requests(self):
        for scheme in ["http", "https"]:
            uri = f"{scheme}://127.0.0.1:{self.port}/"
            with self.subTest(scheme=scheme):
                self.assertIn("hotrod-gateway", self.nghttp("--no-verify-peer", uri))

    def test_many_requests_on_one_link(self):
        out = self.nghttp("--stat", "--null-out", "--multiply=200", f"http://127.0.0.1:{self.port}/")
        # A line for each: id, times, status, size, path.
        lines = [line.split() for line in out.splitlines() if line.split()[:1] and line.split()[0].isdigit()]
        self.assertEqual([line[-3] for line in lines], ["200"] * 200, out)

    def test_the_settings_that_it_is_told(self):
        out = self.nghttp("--verbose", "--no-verify-peer", f"https://127.0.0.1:{self.port}/")
        self.assertIn("The negotiated protocol: h2", out)
        for setting in ["(0x08):1", "(0xf000):1"]:
            self.assertIn(setting, out)
        self.assertIn(":status: 200", out)

    def test_other_methods(self):
        out = self.nghttp("--verbose", "--data=/dev/null", f"http://127.0.0.1:{self.port}/")
        self.assertIn(":status: 405", out)
