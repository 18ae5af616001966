"""What deploy/ holds, read the way that the tools read it."""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from agentconsole.env import VARIABLES
from tests.architecture.source import ROOT

DEPLOY = ROOT / "deploy"
DEFAULTS = {variable.name: variable.default for variable in VARIABLES}


@dataclass(frozen=True)
class Drains:
    """How long a process takes to stop, in seconds, by the defaults."""

    web_s: float
    worker_s: float


def drains() -> Drains:
    """The drains that grace periods have to outlast."""
    return Drains(web_s=float(DEFAULTS.get("DRAIN_S", "20")), worker_s=float(DEFAULTS.get("WORKER_DRAIN_S", "30")))


def text(path: str) -> str:
    """A file of deploy/."""
    return (DEPLOY / path).read_text(encoding="utf-8")


def program(name: str) -> Path:
    """A program of requirements-dev.txt."""
    return Path(sys.executable).with_name(name)


def run_tool(name: str, *arguments: str | Path, **variables: str) -> str:
    """What such a program prints. AssertionError, with its words, if it fails."""
    done = subprocess.run(
        [program(name), *arguments], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def setting(path: str, pattern: str) -> str:
    """The one thing that `pattern` captures in a file of deploy/."""
    (found,) = re.findall(pattern, text(path), re.MULTILINE)
    return str(found)


@cache
def compose() -> dict[str, Any]:
    """The compose file, its anchors resolved."""
    loaded: dict[str, Any] = yaml.safe_load(text("compose.yaml"))
    return loaded


@cache
def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    """Every Kubernetes object as it is written, by kind and name; not the kustomization."""
    files = [path for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")) if path.name != "kustomization.yaml"]
    objects = [one for path in files for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def pod(kind: str, name: str) -> dict[str, Any]:
    """The pod's spec in a Deployment or Job."""
    spec: dict[str, Any] = manifests()[kind, name]["spec"]["template"]["spec"]
    return spec


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile: each instruction and what follows it, on one line."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text("Dockerfile"), flags=re.MULTILINE)).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def copied() -> list[str]:
    """The paths that COPY takes into the image."""
    return [path for name, rest in instructions() if name == "COPY" for path in shlex.split(rest)[:-1]]


def is_ignored(path: PurePosixPath) -> bool:
    """Whether .dockerignore keeps a path out of the build: its last line that names the path or a folder above decides."""
    names = [str(one) for one in (path, *path.parents) if one.name]
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    ignored = False
    for line in lines:
        pattern = line.removeprefix("!")
        anywhere = pattern.startswith("**/")
        bare = pattern.removeprefix("**/")
        if any(fnmatch.fnmatchcase(PurePosixPath(name).name if anywhere else name, bare) for name in names):
            ignored = not line.startswith("!")
    return ignored


def build_image_in(folder: Path) -> None:
    """Copy into `folder` what an image would hold of this checkout."""
    for path in copied():
        for file in [ROOT / path] if (ROOT / path).is_file() else sorted((ROOT / path).rglob("*")):
            inside = file.relative_to(ROOT)
            if file.is_file() and not is_ignored(PurePosixPath(inside)):
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder / inside)
