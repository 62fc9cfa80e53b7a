"""The software of others that TickStock uses and passes on: versions, licences and notices, read from what is installed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
LICENCES = "licences/"  # in static/vendor: the texts that come with the browser's files
NOTICES = REPOSITORY / "notices"  # what packages ask to be shown and do not bring along, one file each
NO_TEXT = "The installed package brings no licence text; its metadata names the licence above."

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TEXT_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
_HOMES = ("homepage", "home", "source", "source code", "repository", "documentation")


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """One package of others."""

    name: str
    version: str
    licence: str
    home: str
    texts: tuple[str, ...] = field(repr=False)

    @property
    def text(self) -> str:
        """Its licence and notices, word for word."""
        said = "\n\n----------\n\n".join(self.texts) or NO_TEXT
        return f"{self.name} {self.version}\n{self.licence}\n{self.home}\n\n{said}\n"


@cache
def python_packages() -> dict[str, ThirdParty]:
    """The installed packages that requirements.txt leads to, by name in lower case."""
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [found[0] for line in lines if (found := _NAME.match(line))]
    seen: dict[str, ThirdParty | None] = {}
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen:
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another platform
            seen[name] = None
            continue
        seen[name] = _python_package(package)
        wanted += [found[0] for each in package.requires or () if "extra ==" not in each and (found := _NAME.match(each))]
    return {name: seen_as for name, seen_as in sorted(seen.items()) if seen_as is not None}


def _python_package(package: metadata.Distribution) -> ThirdParty:
    facts: Any = package.metadata
    texts = [
        package.locate_file(file)
        for file in package.files or ()
        if file.parts[0].endswith(".dist-info") and _TEXT_FILE.match(file.name)
    ]
    return ThirdParty(
        facts["Name"],
        package.version,
        _licence_of(facts),
        _home_of(facts),
        tuple(Path(str(path)).read_text(encoding="utf-8", errors="replace").strip() for path in texts),
    )


def _licence_of(facts: Any) -> str:
    """The SPDX expression; of older packages the trove classifier, or the first line of what they wrote."""
    if facts.get("License-Expression"):
        return str(facts["License-Expression"])
    classified = [each.rpartition(" :: ")[2] for each in facts.get_all("Classifier") or () if each.startswith("License :: ")]
    if classified:
        return "; ".join(classified)
    written = str(facts.get("License") or "").strip().splitlines()
    return written[0][:80] if written else "not stated"


def _home_of(facts: Any) -> str:
    """Its web page, when it names one with https."""
    named = dict(each.lower().split(", ", 1) for each in facts.get_all("Project-URL") or () if ", " in each)
    found = facts.get("Home-page") or next((named[label] for label in _HOMES if label in named), "")
    return str(found) if str(found).startswith("https://") else ""


@cache
def browser_packages() -> dict[str, ThirdParty]:
    """What the pages' third-party files are made from, by name: package.json says which licence texts come with them.

    A notice that a package wants shown to users stands first among its texts.
    """
    shipped: dict[str, str] = json.loads((REPOSITORY / "package.json").read_text(encoding="utf-8"))["tickstock"]["vendor"]
    locked = json.loads((REPOSITORY / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    files: dict[str, list[str]] = {package: [] for package in notices()}
    for name, source in shipped.items():
        if name.startswith(LICENCES):
            package = source.removeprefix("node_modules/").rpartition("/")[0]
            files.setdefault(package, []).append(name)
    return {
        package: ThirdParty(
            package,
            locked[f"node_modules/{package}"]["version"],
            str(locked[f"node_modules/{package}"].get("license", "not stated")),
            f"https://www.npmjs.com/package/{package}",
            (*([notices()[package]] if package in notices() else []), *(_vendor_text(name) for name in names)),
        )
        for package, names in sorted(files.items())
    }


@cache
def notices() -> dict[str, str]:
    """The notices that stand on the About page, by package."""
    return {file.stem: file.read_text(encoding="utf-8").strip() for file in sorted(NOTICES.glob("*.txt"))}


def _vendor_text(name: str) -> str:
    file = REPOSITORY / "static" / "vendor" / name
    if not file.is_file():
        return f"{file.name} is not installed: python start_all_services.py does it."
    return file.read_text(encoding="utf-8", errors="replace").strip()
