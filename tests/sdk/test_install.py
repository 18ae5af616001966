"""`pip install .` gives an agent the SDK and its vocabulary, with httpx, structlog and rfc8785 and nothing of the console."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from agentconsole import sdk

ROOT = Path(__file__).resolve().parents[2]


def needed_by(
    name: str, found: dict[str, importlib.metadata.Distribution]
) -> dict[str, importlib.metadata.Distribution]:
    """A distribution and all that it requires here, by name."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name not in found:
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            return found  # for another Python or platform
        for requirement in found[name].requires or ():
            if "extra ==" not in requirement:
                needed_by(re.split(r"[^A-Za-z0-9._-]", requirement)[0], found)
    return found


def link_requirements(site: Path) -> None:
    """Make httpx, structlog, rfc8785 and what they need importable from `site`, and nothing else that lies beside them."""
    found: dict[str, importlib.metadata.Distribution] = {}
    for name in ("httpx", "structlog", "rfc8785"):
        needed_by(name, found)
    for distribution in found.values():
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))))


@pytest.mark.processes
def test_the_sdk_installs_alone_and_never_imports_django(tmp_path: Path):
    source = tmp_path / "checkout"  # building leaves files beside the source
    shutil.copytree(ROOT / "agentconsole", source / "agentconsole", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv" / "lib").glob("python*")) / "site-packages"
    link_requirements(site)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(site), str(source)], check=True)
    program = (
        "import sys, agentconsole.sdk as sdk\n"
        "with sdk.Console() as console, console.run() as run:\n"
        "    print(run.call(lambda: 'answer', name='tool').data)\n"
        "assert 'django' not in sys.modules\n"
        "print(sdk.__file__)\n"
    )
    done = subprocess.run([python, "-I", "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    *_, answer, place = done.stdout.splitlines()
    assert answer == "answer"
    assert place.startswith(str(tmp_path))
    assert sorted(path.name for path in (site / "agentconsole").iterdir() if path.is_dir()) == ["protocol", "sdk"]


def test_the_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sdk.__version__ == project["version"]
    assert {re.split("[>=]", needed)[0] for needed in project["dependencies"]} == {"httpx", "rfc8785", "structlog"}
