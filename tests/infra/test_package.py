"""The zip that is deployed: what is in it, the same bytes each time, and functions that are found in it alone."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import ROOT
from tests.test_dependencies import LOCKED
from tools import package

IGNORED = (ROOT / ".funcignore").read_text()
RULES = package.read_rules(IGNORED)
BINDINGS = json.loads((ROOT / "tests/functions/bindings.json").read_text())
NAMES = package.deployed(ROOT)

DEPLOYED = ["function_app.py", "host.json", "requirements.txt", "diagnostics/app.py", "diagnostics/network/fleet/a.py"]
DEPLOYED += ["policy/audit.toml", ".python_packages/lib/site-packages/msgspec/__init__.py"]
LEFT_OUT = [
    ".azure/dev/.env",
    ".cache/terraform/x",
    ".devcontainer/devcontainer.json",
    ".env",
    ".github/workflows/ci.yml",
    ".gitignore",
    ".venv/lib/x.py",
    ".vscode/launch.json",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "__pycache__/function_app.cpython-313.pyc",
    "azure.yaml",
    "benchmarks/audit.py",
    "diagnostics/__main__.py",
    "diagnostics/__pycache__/app.cpython-313.pyc",
    "diagnostics/cli/page.py",
    "diagnostics/network/fleet/__pycache__/a.pyc",
    "dist/vmreach.zip",
    "docs/settings.md",
    "infra/bicep/main.bicep",
    "infra/terraform/.terraform/providers/x",
    "local.settings.json",
    "local.settings.sample.json",
    "main_env/lib/x.py",
    "pyproject.toml",
    "requests.http",
    "requirements.lock",
    "sandbox/__main__.py",
    "tests/conftest.py",
    "tools/package.py",
    "vmreach.egg-info/PKG-INFO",
]


def test_the_app_and_nothing_else_is_in_it() -> None:
    beside = {name for name in NAMES if not name.startswith("diagnostics/")}
    assert beside == {"function_app.py", "host.json", "requirements.txt"}
    assert {Path(name).suffix for name in set(NAMES) - beside} == {".py"}
    tracked = subprocess.run(["git", "ls-files", "diagnostics"], cwd=ROOT, capture_output=True, text=True, check=True)
    product = {name for name in tracked.stdout.split() if not name.startswith("diagnostics/cli/")}
    assert set(NAMES) - beside == product - {"diagnostics/__main__.py"}


def by_git(folder: Path, names: list[str]) -> set[str]:
    """What git leaves out by these patterns; azd reads them as git does."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    (folder / ".gitignore").write_text(IGNORED)
    asked = ["git", "-C", str(folder), "check-ignore", "--no-index", "--stdin"]
    return set(subprocess.run(asked, input="\n".join(names), capture_output=True, text=True, check=True).stdout.split())


def by_core_tools(names: list[str]) -> set[str]:
    """What `func azure functionapp publish` leaves out: its patterns begin at the root and end at a word's end."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for rule in RULES:
        text = re.escape(rule.removeprefix("!").removeprefix("/")).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        found[rule.startswith("!")].append(rf"({text})\b")
    kept, left = (re.compile("|".join(found[taken_back])) for taken_back in (True, False))
    return {name for name in names if left.match(name) and not kept.match(name)}


def test_all_who_make_a_package_leave_out_the_same(tmp_path: Path) -> None:
    names = [*DEPLOYED, *LEFT_OUT]
    ours = {name for name in names if package.ignored(name, RULES)}
    assert ours == set(LEFT_OUT)
    assert by_git(tmp_path, names) == ours
    assert by_core_tools(names) == ours


def test_of_this_checkout_too(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in listed if package.ignored(name, RULES)}
    assert by_git(tmp_path, listed) == ours
    assert by_core_tools(listed) == ours


def test_the_same_files_make_the_same_bytes_anywhere_and_anytime(tmp_path: Path) -> None:
    elsewhere = tmp_path / "another" / "checkout"
    for name in reversed(NAMES):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, elsewhere / name)  # other times and modes, made in another order
        (elsewhere / name).chmod(0o600)
    shutil.copyfile(ROOT / ".funcignore", elsewhere / ".funcignore")
    (elsewhere / "tests").mkdir()
    (elsewhere / "tests/test_it.py").touch()
    assert package.deployed(elsewhere) == NAMES  # no git there: what lies there
    package.write(ROOT, NAMES, tmp_path / "one.zip")
    package.write(elsewhere, package.deployed(elsewhere), tmp_path / "two" / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two/two.zip").read_bytes()


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    target = tmp_path / "dist" / "vmreach.zip"
    program = [sys.executable, "tools/package.py", str(target)]
    told = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == NAMES
    assert f"{target}: {len(NAMES)} files, {target.stat().st_size:,} bytes" in told
    assert re.search(r"^sha256 [0-9a-f]{64}$", told, re.MULTILINE)


def test_a_file_that_git_does_not_track_is_said_to_be_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".funcignore").write_text("tests\n")
    for name in ("new.py", "tests/test_new.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert package.deployed(tmp_path) == []
    assert package.forgotten(tmp_path) == [".funcignore", "new.py"]


INDEX = """
import json, sys
sys.path.insert(0, sys.argv[1])
import function_app
bindings = {each.get_function_name(): [json.loads(raw) for raw in each.get_raw_bindings()]
            for each in function_app.app.get_functions()}
files = sorted({str(module.__file__) for module in sys.modules.values() if getattr(module, "__file__", None)})
print(json.dumps({"bindings": bindings, "files": files, "path": sys.path}))
"""
EVERYTHING = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import diagnostics
names = [each.name for each in pkgutil.walk_packages(diagnostics.__path__, "diagnostics.")]
print(json.dumps([importlib.import_module(name).__name__ for name in names]))
"""
WORKER = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from sandbox.host.worker import Worker
print(json.dumps([each.name for each in Worker(Path(sys.argv[1])).index()]), flush=True)
os._exit(0)
"""


class Bare:
    """A virtual environment with what the unpacked requirements.txt names, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.app, self.python, self.base = folder / "app", folder / "env" / "bin" / "python", folder
        package.write(ROOT, NAMES, folder / "vmreach.zip")
        with ZipFile(folder / "vmreach.zip") as archive:
            archive.extractall(self.app)
        subprocess.run(
            [sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, folder / "env"], check=True
        )
        self.install("-r", str(self.app / "requirements.txt"))

    def install(self, *what: str) -> None:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(self.python), *what]
        subprocess.run(command, check=True, cwd=self.base)

    def run(self, program: str, *arguments: str) -> str:
        """Isolated (-I): neither the folder it runs in nor PYTHONPATH nor the user's packages are on its path."""
        command = [str(self.python), "-I", "-c", program, str(self.app), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.base)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    return Bare(tmp_path_factory.mktemp("bare"))


@pytest.mark.tools
@pytest.mark.timeout(300)
def test_the_functions_are_found_in_the_unpacked_zip_alone(bare: Bare) -> None:
    found = json.loads(bare.run(INDEX))
    assert found["bindings"] == BINDINGS
    table = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert table == {name for name in BINDINGS if not name.startswith("poison_")}
    homes = (str(bare.app), str(bare.base / "env"), sys.base_prefix)
    assert [name for name in found["files"] + found["path"] if not name.startswith(homes)] == []


@pytest.mark.tools
@pytest.mark.timeout(300)
def test_whatever_is_deployed_can_be_imported_there(bare: Bare) -> None:
    """Much is imported only when a function needs it: nothing of that may be missing either."""
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in NAMES}
    beside = {"diagnostics", "function_app", "host.json", "requirements.txt"}
    assert set(json.loads(bare.run(EVERYTHING))) == modules - beside


@pytest.mark.tools
@pytest.mark.timeout(300)
def test_the_worker_library_of_microsoft_finds_them_there_too(bare: Bare) -> None:
    """In Azure it comes with the platform, so it is added here; the sandbox's stand-in for the host starts it."""
    bare.install(f"azure-functions-runtime=={LOCKED['azure-functions-runtime']}")
    (bare.base / "worker/sandbox/host").mkdir(parents=True)
    for name in ("__init__.py", "host/__init__.py", "host/errors.py", "host/worker.py"):
        shutil.copyfile(ROOT / "sandbox" / name, bare.base / "worker/sandbox" / name)
    assert sorted(json.loads(bare.run(WORKER, str(bare.base / "worker")))) == sorted(BINDINGS)
