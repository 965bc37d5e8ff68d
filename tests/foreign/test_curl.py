"""curl, which knows no Hot Rod."""

import subprocess

import hot_rod
from servers import LONG, WithGateway


class Curl(WithGateway):
    def curl(self, *arguments, stdin=b"", code=0):
        ran = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", str(LONG), *arguments],
            input=stdin, capture_output=True, timeout=2 * LONG,
        )
        self.assertEqual(ran.returncode, code, ran.stderr)
        return ran.stdout

    def ask(self, *arguments, code=0):
        """The status, the version of HTTP, and the body."""
        out = self.curl("--write-out", "\n%{http_code} %{http_version}", *arguments, code=code).decode()
        body, _, told = out.rpartition("\n")
        return (*told.split(), body)

    def here(self, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}/"

    def test_an_ordinary_request_in_every_version(self):
        trusted = ("--cacert", str(self.certificate))
        for version, arguments in [
            # A request of 1.0 is answered in 1.1, as RFC 9110, 2.5 has it.
            ("1.1", ["--http1.0", self.here()]),
            ("1.1", ["--http1.1", self.here()]),
            # The Upgrade to h2c is not taken (RFC 9113 has it no more): the request is answered as it is.
            ("1.1", ["--http2", self.here()]),
            ("2", ["--http2-prior-knowledge", self.here()]),
            ("2", ["--http2", *trusted, self.here("https")]),
            ("1.1", ["--http1.1", *trusted, self.here("https")]),
            ("1.1", ["--no-alpn", *trusted, self.here("https")]),
        ]:
            with self.subTest(arguments=arguments):
                status, spoken, body = self.ask(*arguments)
                self.assertEqual((status, spoken), ("200", version))
                self.assertIn("hotrod-gateway", body)

    def test_head_and_other_methods(self):
        for version in ["--http1.1", "--http2-prior-knowledge"]:
            with self.subTest(version=version):
                self.assertEqual(self.ask(version, "--head", self.here())[0], "200")
                self.assertEqual(self.ask(version, "--data", "x=y", self.here())[0], "405")
                self.assertEqual(self.ask(version, "--request", "DELETE", self.here())[0], "405")

    def test_two_requests_on_one_link(self):
        # Not by prior knowledge: there curl 7.88 fails by itself at its second request, whatever the server is.
        trusted = ("--cacert", str(self.certificate))
        for arguments in [["--http1.1", self.here()], ["--http2", *trusted, self.here("https")]]:
            uri = arguments[-1]
            out = self.curl(*arguments, uri, uri, "--write-out", "%{num_connects}\n").decode()
            self.assertEqual([line for line in out.splitlines() if line.isdigit()], ["1", "0", "0"], out)

    def test_fields_of_hot_rod_without_an_upgrade(self):
        self.assertEqual(self.ask("--http1.1", "--header", "Hot-Rod-Node: node-0", self.here())[0], "426")

    def upgrade(self, *more):
        fields = ["--header", "Connection: Upgrade", "--header", "Upgrade: hotrod", *more]
        # curl takes a 101 that it has not asked for itself as the end of the answer's head, and reads on.
        ran = subprocess.run(
            ["curl", "--silent", "--http1.1", "--include", "--no-buffer", "--max-time", "2", *fields, self.here()],
            capture_output=True, timeout=LONG,
        )
        return ran.stdout.decode().lower().splitlines()

    def test_an_upgrade(self):
        lines = self.upgrade("--header", "Hot-Rod-Node: node-0")
        self.assertEqual(lines[0].split()[1], "101", lines)
        for field in ["connection: upgrade", "upgrade: hotrod", "hot-rod-node: node-0"]:
            self.assertIn(field, lines)

    def test_an_upgrade_to_another_member(self):
        lines = self.upgrade("--header", "Hot-Rod-Node: node-1")
        self.assertEqual(lines[0].split()[1], "421", lines)

    def test_hot_rod_through_a_connect_tunnel(self):
        """curl's telnet passes on what it reads, here through the tunnel that a CONNECT has opened."""
        for proxy in ["http", "https"]:
            with self.subTest(proxy=proxy):
                trusted = ["--proxy-cacert", str(self.certificate)]
                command = [
                    "curl", "--silent", "--show-error", "--no-buffer", "--max-time", str(LONG), *trusted,
                    "--proxytunnel", "--proxy", self.here(proxy), f"telnet://{self.member}",
                ]
                curl = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                try:
                    curl.stdin.write(hot_rod.put(1, b"by curl", b"a value") + hot_rod.get(2, b"by curl"))
                    curl.stdin.flush()
                    received = b""
                    while not received.endswith(b"a value"):
                        got = curl.stdout.read1()
                        self.assertNotEqual(got, b"", received)
                        received += got
                finally:
                    curl.kill()
                    curl.communicate(timeout=LONG)
                put = hot_rod.Response(received, hot_rod.put)
                got = hot_rod.Response(put.rest, hot_rod.get)
                self.assertEqual((put.message_id, put.status), (1, hot_rod.SUCCESS))
                self.assertEqual((got.message_id, got.value, got.rest), (2, b"a value", b""))

    def test_the_admin_port(self):
        for version in ["--http1.0", "--http1.1", "--http2"]:
            for path, content in [("healthz", "alive"), ("readyz", '"ready": true'), ("metrics", "# EOF")]:
                with self.subTest(version=version, path=path):
                    status, _, body = self.ask(version, f"http://127.0.0.1:{self.admin}/{path}")
                    self.assertEqual(status, "200")
                    self.assertIn(content, body)
        self.assertEqual(self.ask(f"http://127.0.0.1:{self.admin}/")[0], "404")
