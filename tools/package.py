"""The zip that is deployed: what git tracks, less what .funcignore names.

    python tools/package.py dist/vmreach.zip

The same files make the same bytes, wherever and whenever: sorted, with one time and one mode, and stored as they are,
since what compression makes of them depends on the version of zlib. The standard library is enough.
"""

import hashlib
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

ROOT = Path(__file__).parent.parent
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_MODE = 0o100644 << 16


def main(arguments: list[str]) -> int:
    """Write the zip and print its path, size and hash."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python tools/package.py FILE.zip\n")
        return 2
    names = deployed(ROOT)
    for name in forgotten(ROOT):
        sys.stderr.write(f"left out, since git does not track it: {name}\n")
    target = Path(arguments[0])
    write(ROOT, names, target)
    content = target.read_bytes()
    sys.stdout.write(
        f"{target}: {len(names)} files, {len(content):,} bytes\nsha256 {hashlib.sha256(content).hexdigest()}\n"
    )
    return 0


def deployed(root: Path) -> list[str]:
    """The files that are deployed, as sorted paths below the root."""
    rules = read_rules((root / ".funcignore").read_text(encoding="utf-8"))
    return sorted(name for name in _present(root) if not ignored(name, rules) and (root / name).is_file())


def forgotten(root: Path) -> list[str]:
    """Files that would be deployed if git tracked them."""
    rules = read_rules((root / ".funcignore").read_text(encoding="utf-8"))
    listed = _git(root, "--others", "--exclude-standard") or []
    return sorted(name for name in listed if not ignored(name, rules))


def read_rules(text: str) -> list[str]:
    """The patterns of an ignore file, in their order."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def ignored(name: str, rules: list[str]) -> bool:
    """Whether a file is left out: its own name, or that of a folder above it, is ignored."""
    path = PurePosixPath(name)
    return any(_verdict(each, rules) for each in [path, *path.parents][:-1])


def write(root: Path, names: list[str], target: Path) -> None:
    """Write these files into a zip at `target`; its folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w") as archive:
        for name in names:
            entry = ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = 3, _MODE  # 3: Unix, on every system
            archive.writestr(entry, (root / name).read_bytes())


def _present(root: Path) -> list[str]:
    """What git tracks; of a folder without git all that is there."""
    tracked = _git(root, "--cached")
    if tracked is not None:
        return tracked
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


def _git(root: Path, *options: str) -> list[str] | None:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "ls-files", "-z", *options]
    listed = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return [name for name in listed.split("\0") if name]


def _verdict(path: PurePosixPath, rules: list[str]) -> bool:
    """What the last pattern that fits says: a `!` takes back what was ignored."""
    fitting = [rule for rule in rules if _fits(path, rule.removeprefix("!"))]
    return bool(fitting) and not fitting[-1].startswith("!")


def _fits(path: PurePosixPath, pattern: str) -> bool:
    """A pattern with a slash is a path from the root, one without is a name at any depth."""
    if "/" in pattern.rstrip("/"):
        return path.full_match(pattern.strip("/"), case_sensitive=True)
    return fnmatchcase(path.name, pattern.rstrip("/"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
