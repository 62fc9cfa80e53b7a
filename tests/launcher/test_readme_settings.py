from __future__ import annotations

from pathlib import Path

from tickstock.settings import markdown_table

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_lists_every_setting_as_python_m_tickstock_settings_prints_it() -> None:
    between = README.read_text(encoding="utf-8").split("<!-- settings -->")
    assert len(between) == 3, "README.md has the table of `python -m tickstock.settings` between two lines <!-- settings -->"
    assert between[1].strip() == markdown_table().strip()
