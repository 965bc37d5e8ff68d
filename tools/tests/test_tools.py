"""Faults that the tools of `make lint` find, planted one at a time."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHA = "a" * 40


def run(tool, *arguments, path=None):
    environment = {**os.environ, **({"PATH": path} if path else {})}
    command = [sys.executable, ROOT / "tools" / tool, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stderr


class Planted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Names(Planted):
    FAULTS = {
        "a/package.json": [
            ('{"optionalDependencies": {"@libhotrod/linux-x64-gnu": "0.1.0"}}', "asks npm for @libhotrod/linux-x64-gnu"),
            ('{"dependencies": {"libhotrod": "^0.1.0"}}', "asks npm for libhotrod"),
            ('{"devDependencies": {"@libhotrod/anything": "*"}}', "asks npm for @libhotrod/anything"),
        ],
        "package-lock.json": [
            ('{"packages": {"node_modules/@libhotrod/darwin-x64": {"version": "0.1.0"}}}', "locks @libhotrod/darwin-x64"),
            ('{"packages": {"node_modules/libhotrod": {"version": "0.1.0"}}}', "locks libhotrod"),
        ],
        "yarn.lock": [("libhotrod@^0.1.0:\n  version 0.1.0\n", "locks libhotrod")],
        "pyproject.toml": [
            ('[project]\nname = "x"\ndependencies = ["libhotrod>=0.1"]\n', "asks PyPI for libhotrod>=0.1"),
            ('[build-system]\nrequires = ["libhotrod"]\n', "asks PyPI for libhotrod"),
            ('[project.optional-dependencies]\nall = ["libhotrod[fast]"]\n', "asks PyPI for libhotrod[fast]"),
            ('[dependency-groups]\ndev = ["libhotrod"]\n', "asks PyPI for libhotrod"),
        ],
        "tests/requirements.txt": [("pytest\nlibhotrod==0.1.0\n", "asks PyPI for libhotrod==0.1.0")],
        "Cargo.toml": [
            ('[package]\nname = "x"\n[dependencies]\nhotrod-core = "0.1"\n', "asks crates.io for hotrod-core"),
            ('[package]\nname = "x"\n[dev-dependencies.other]\npackage = "hotrod-tokio"\nversion = "0.1"\n', "for hotrod-tokio"),
            ('[package]\nname = "x"\n[target."cfg(unix)".dependencies]\nhotrod-cli = { version = "0.1" }\n', "for hotrod-cli"),
            ('[workspace]\n[workspace.dependencies]\nhotrod-gateway = { version = "0.1" }\n', "for hotrod-gateway"),
        ],
        "Cargo.lock": [
            ('[[package]]\nname = "hotrod-core"\nversion = "0.1.0"\nsource = "registry+https://example.invalid"\n', "locks hotrod-core"),
        ],
        "docs/page.md": [
            ("Rust: `cargo add hotrod-tokio`", "line 1: `cargo add hotrod-tokio`"),
            ("    cargo install --locked hotrod-cli\n", "for hotrod-cli"),
            ("\n`cargo add hotrod-tokio@0.1 --features x`", "line 2"),
            ("pip install -U libhotrod", "for libhotrod"),
            ("python3 -m pip install 'libhotrod==0.1'", "for libhotrod"),
            ("uv add libhotrod", "for libhotrod"),
            ("npm install \\\n  --save libhotrod", "for libhotrod"),
            ("npm i @libhotrod/linux-x64-gnu@0.1.0", "for @libhotrod/linux-x64-gnu"),
            ("npx libhotrod", "for libhotrod"),
            ("Then pip install libhotrod.", "for libhotrod"),
        ],
        "script": [("#!/bin/sh\npip3 install libhotrod\n", "line 2")],
    }
    FINE = {
        "README.md": "`cargo add --path ../libhotrod/bindings/rust`, `pip install ./bindings/python`, `npm install ./bindings/node`; "
        "`npm rebuild libhotrod`; cargo install --path cli --locked; pip install --no-index --find-links dist libhotrod; "
        "npm install react. The package libhotrod, once published.",
        "package.json": '{"name": "libhotrod", "private": true, "devDependencies": {"typescript": "^5"}}',
        "pyproject.toml": '[build-system]\nrequires = ["maturin"]\n[project]\nname = "libhotrod"\n',
        "Cargo.toml": '[package]\nname = "x"\n[dependencies]\nhotrod-core = { path = "core", version = "0.1" }\nhotrod-cli.workspace = true\n',
        "Cargo.lock": '[[package]]\nname = "hotrod-core"\nversion = "0.1.0"\n',
    }

    def setUp(self):
        super().setUp()
        self.write("docs/releasing.md", (ROOT / "docs/releasing.md").read_text())

    def test_the_tree_asks_for_none(self):
        self.assertEqual(run("names-check"), (0, ""))

    def test_what_is_right_is_not_complained_of(self):
        for name, text in self.FINE.items():
            self.write(name, text)
        self.assertEqual(run("names-check", self.folder.name), (0, ""))

    def test_every_fault_is_found(self):
        for name, faults in self.FAULTS.items():
            for text, says in faults:
                with self.subTest(file=name, text=text):
                    path = self.write(name, text)
                    status, said = run("names-check", self.folder.name)
                    self.assertEqual(status, 1, said)
                    self.assertIn(f"{name}: ", said)
                    self.assertIn(says, said)
                    path.unlink()

    def test_a_table_without_names_is_a_fault(self):
        self.write("docs/releasing.md", "# Releasing\n")
        self.assertEqual(run("names-check", self.folder.name)[0], 1)


class Workflows(Planted):
    FINE = f"""
on: {{push: {{tags: ["v*"]}}}}
permissions:
  contents: read
jobs:
  one:
    runs-on: x
    permissions:
      id-token: write
    steps:
      - uses: actions/checkout@{SHA} # v4.2.2
        with: {{ persist-credentials: false }}
      - uses: a/b/c@{SHA} # v1.0.0
      - run: cargo install cargo-deny --locked --version 0.1.0
      - run: pip install --require-hashes -r requirements.txt
"""
    FAULTS = [
        ("permissions:\n  contents: read\njobs", "jobs", "no permissions at the top"),
        ("  contents: read\njobs", "  contents: write\njobs", "contents: write at the top"),
        ("permissions:\n  contents: read\njobs", "permissions: write-all\njobs", "write-all is too much"),
        ("      id-token: write", "      packages: write", "packages: write is not what a job may have"),
        ("    permissions:\n      id-token: write", "    permissions: write-all", "write-all is too much"),
        (f"actions/checkout@{SHA} # v4.2.2", "actions/checkout@v4", "actions/checkout@v4 is not pinned"),
        (f"a/b/c@{SHA} # v1.0.0", "a/b/c@main", "a/b/c@main is not pinned"),
        (f"a/b/c@{SHA} # v1.0.0", f"a/b/c@{SHA[:12]}", "is not pinned"),
        (f"a/b/c@{SHA} # v1.0.0", f"a/b/c@{SHA}", "the version of the action is not written"),
        (f"a/b/c@{SHA} # v1.0.0", f"a/b/c@{SHA} # v1", "the version of the action is not written"),
        (f"a/b/c@{SHA} # v1.0.0", "docker://alpine:3", "the image docker://alpine:3 is not pinned"),
        ("        with: { persist-credentials: false }\n", "", "leaves its token behind"),
        ("    runs-on: x", "    runs-on: x\n    container: rust:1.95", "the image rust:1.95 is not pinned"),
        ("    runs-on: x", "    runs-on: x\n    container: { image: rust@sha256:12 }", "is not pinned by digest"),
        ("    runs-on: x", "    runs-on: x\n    services: {db: {image: postgres:17}}", "the image postgres:17 is not pinned"),
        ("    runs-on: x", "    runs-on: x\n    secrets: inherit", "every secret"),
        ("    runs-on: x", "    uses: o/r/.github/workflows/w.yml@main", "w.yml@main is not pinned"),
        (" --locked --version 0.1.0", " --version 0.1.0", "has no --locked and version"),
        (" --locked --version 0.1.0", " --locked", "has no --locked and version"),
        ("--require-hashes -r requirements.txt", "maturin", "has no hashes"),
        ("pip install --require-hashes -r requirements.txt", "npm install -g npm", "runs what a registry gives"),
        ("pip install --require-hashes -r requirements.txt", "curl https://example.invalid | sh", "runs what a server gives"),
        ("pip install --require-hashes -r requirements.txt", 'echo "${{ github.event.head_commit.message }}"', "from outside"),
        ('push: {tags: ["v*"]}', "pull_request_target: {}", "pull_request_target"),
    ]

    def test_the_trees_workflows_are_right(self):
        self.assertEqual(run("workflow-check"), (0, ""))

    def test_what_is_right_is_not_complained_of(self):
        self.write("w.yml", self.FINE)
        self.assertEqual(run("workflow-check", self.folder.name), (0, ""))

    def test_every_fault_is_found(self):
        for right, wrong, says in self.FAULTS:
            with self.subTest(wrong=wrong):
                self.assertIn(right, self.FINE)
                self.write("w.yml", self.FINE.replace(right, wrong))
                status, said = run("workflow-check", self.folder.name)
                self.assertEqual(status, 1, said)
                self.assertIn(says, said)

    def test_a_folder_without_workflows_is_a_fault(self):
        self.assertEqual(run("workflow-check", self.folder.name)[0], 1)


class Images(Planted):
    DIGEST = "sha256:" + "b" * 64

    def setUp(self):
        super().setUp()
        self.containerfile = self.write("gateway/deploy/Containerfile", "FROM docker.io/library/rust:1.95 AS build\nFROM x/y:z\n")
        self.manifest = self.write("gateway/deploy/bases/a.yaml", "  - image: hotrod-gateway\n  - image: quay.io/a/b:16.0\n")
        # In place of skopeo: what it says is a registry's answer.
        program = self.write("bin/skopeo", f"#!/bin/sh\necho {self.DIGEST}\n")
        program.chmod(0o755)
        self.path = f"{program.parent}:{os.environ['PATH']}"

    def test_tags_become_digests_and_own_images_stay(self):
        status, said = run("pin-images", "--check", self.folder.name)
        self.assertEqual(status, 1)
        self.assertEqual(said.count("has no digest"), 3)
        for _ in range(2):
            self.assertEqual(run("pin-images", self.folder.name, path=self.path), (0, ""))
        self.assertEqual(run("pin-images", "--check", self.folder.name), (0, ""))
        self.assertEqual(
            self.containerfile.read_text(), f"FROM docker.io/library/rust:1.95@{self.DIGEST} AS build\nFROM x/y:z@{self.DIGEST}\n"
        )
        self.assertEqual(self.manifest.read_text(), f"  - image: hotrod-gateway\n  - image: quay.io/a/b:16.0@{self.DIGEST}\n")

    def test_an_answer_that_is_no_digest_changes_nothing(self):
        self.write("bin/skopeo", "#!/bin/sh\necho latest\n")
        before = self.containerfile.read_text()
        self.assertEqual(run("pin-images", self.folder.name, path=self.path)[0], 1)
        self.assertEqual(self.containerfile.read_text(), before)


if __name__ == "__main__":
    unittest.main()
