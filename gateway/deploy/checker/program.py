"""What manifests tell the gateway, told to the gateway: `hotrod-gateway --check` reads all of it, files included."""

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .options import gateways, is_readable
from .render import title

ACCOUNT = 'user = "gateway"\npassword = "secret"\n'


def complaints(overlay, program):
    with _files() as folder:
        for pod in {id(pod.workload): pod for pod in overlay.pods}.values():
            for container in filter(is_readable, gateways(pod)):
                run = _check(program, container, folder)
                if run.returncode != 0:
                    yield f"{title(pod.workload)}: the gateway refuses it: {run.stderr.strip()}"


@contextmanager
def _files():
    """Stand-ins for what Secrets have, by the name of the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        account = folder / "account.toml"
        account.touch(mode=0o600)
        account.write_text(ACCOUNT)
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=gateway"]
        files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
        subprocess.run([*command, *files], check=True, capture_output=True)
        yield folder


def _check(program, container, folder):
    def here(text):
        return str(folder / Path(text).name) if text.startswith("/etc/hotrod-gateway/") else text

    arguments = []
    for argument in container.get("args", []):
        name, equals, value = argument.partition("=")
        arguments.append(f"{name}{equals}{here(value)}")
    # What comes from the pod is its name.
    variables = {each["name"]: here(each.get("value", "infinispan-0")) for each in container.get("env", [])}
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [program, "--check", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
