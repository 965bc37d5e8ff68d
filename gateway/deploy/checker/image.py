"""The Containerfile: what can be known of it without building it."""

import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

CONTAINERFILE = "gateway/deploy/Containerfile"
COMMAND = "cargo build --release --locked --package hotrod-gateway"
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "ENTRYPOINT"}


def complaints(root):
    text = (root / CONTAINERFILE).read_text()
    instructions = _instructions(text)
    stages = [rest for name, rest in instructions if name == "FROM"]
    for name, _ in instructions:
        if name not in INSTRUCTIONS:
            yield f"Containerfile: {name} is not expected"
    for stage in stages:
        if not re.match(r"[^ ]+/[^ ]+:[^ ]+", stage):
            yield f"Containerfile: {stage} has no registry or no tag"
    if COMMAND not in text:
        yield f"Containerfile: it does not build by {COMMAND!r}"
    if len(stages) != 2:
        yield "Containerfile: one stage builds and one is the image"
        return
    yield from _toolchain(root, stages[0])
    yield from _sources(root, instructions)
    yield from _image(stages, text)


def _instructions(text):
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[-1].strip()) for line in lines if line.strip()]


def _workspace(root):
    return tomllib.loads((root / "Cargo.toml").read_text())["workspace"]


def _toolchain(root, stage):
    wanted = _workspace(root)["package"]["rust-version"]
    has = re.search(r"/rust:(\d+)\.(\d+)", stage)
    if has is None or tuple(map(int, has.groups())) < tuple(map(int, wanted.split(".")[:2])):
        yield f"Containerfile: {stage} has not Rust {wanted}"


def _sources(root, instructions):
    """What is copied is there, and enough for Cargo to read the workspace."""
    copied = [rest.split() for name, rest in instructions if name == "COPY" and not rest.startswith("--from")]
    sources = [source for words in copied for source in words[:-1]]
    missing = [source for source in sources if not (root / source).exists()]
    yield from (f"Containerfile: there is no {source} to copy" for source in missing)
    outside = [each for each in _workspace(root)["members"] if each.split("/")[0] not in sources]
    yield from (f"Containerfile: {member}, of the workspace, is not copied" for member in outside)
    if not missing and not outside and shutil.which("cargo") and (root / ".git").exists():
        yield from _cargo(root, sources)


def _cargo(root, sources):
    """Has Cargo read a copy of what is copied; builds nothing, and needs no network."""
    listed = subprocess.run(["git", "ls-files", "-z", *sources], cwd=root, capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(None, listed.stdout.split("\0")):
            if (root / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, Path(folder) / name)
        command = ["cargo", "metadata", "--no-deps", "--locked", "--offline", "--format-version=1"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            yield f"Containerfile: Cargo can't read what is copied: {run.stderr.strip()}"
        elif '"name":"hotrod-gateway"' not in run.stdout:
            yield "Containerfile: there is no package hotrod-gateway in what is copied"


def _image(stages, text):
    name = stages[0].rpartition(" AS ")[2]
    last = _instructions(text.rpartition("FROM ")[2])
    copies = [rest for instruction, rest in last if instruction == "COPY"]
    program = "/src/target/release/hotrod-gateway /usr/local/bin/hotrod-gateway"
    if copies != [f"--from={name} {program}"]:
        yield "Containerfile: the image ought to have the program of the first stage, and nothing else"
    settings = dict(last)
    if not re.fullmatch(r"[1-9]\d*(:\d+)?", settings.get("USER", "")):
        yield "Containerfile: USER is to be a number and not 0, for runAsNonRoot to see it"
    if settings.get("ENTRYPOINT") != '["/usr/local/bin/hotrod-gateway"]':
        yield "Containerfile: ENTRYPOINT is not the gateway"
