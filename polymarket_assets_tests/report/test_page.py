"""A page is one file that needs nothing else, and nothing that a market is called can change what it does."""

from __future__ import annotations

import json
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import __main__ as command
from polymarket_assets.report import market as report
from polymarket_assets.report import page
from polymarket_assets_tests.report.rows import followed, now

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} \"' & <b>Bold"


class Tags(HTMLParser):
    """Tags with their attributes, and the content of scripts by id."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(content: str) -> Tags:
    found = Tags()
    found.feed(content)
    return found


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    lake = Lake(tmp_path_factory.mktemp("page") / "lake")
    followed(lake, question=HOSTILE, outcomes=[HOSTILE, "No"], event_title=HOSTILE, category=HOSTILE, tags=[HOSTILE], resolution_source=HOSTILE)  # fmt: skip
    return page.html(report.page(lake, "will-it-rain", clock=now))


def test_a_hostile_title_is_text(hostile: str) -> None:
    """Anybody can have a market listed: its title is read by whoever looks at the page."""
    found = parsed(hostile)
    assert not [tag for tag, _ in found.tags if tag in ("img", "b")]
    assert [tag for tag, _ in found.tags].count("script") == 4
    assert HOSTILE in "".join(found.texts)
    assert "alert(1)</script>" not in hostile


def test_the_page_asks_for_nothing_from_elsewhere(hostile: str) -> None:
    """It is looked at offline, and mailed."""
    for tag, attributes in parsed(hostile).tags:
        assert not {"src", "href", "srcset", "data"} & attributes.keys(), tag
    assert "@import" not in hostile.split("</style>")[0]


def test_the_charts_are_in_it_once_with_their_library(hostile: str) -> None:
    found = parsed(hostile)
    specs = json.loads(next(text for text in found.texts if text.startswith('{"chart0"')))
    assert list(specs) == ["chart0", "chart1", "chart2"]
    assert {attributes.get("id") for tag, attributes in found.tags if tag == "div"} >= specs.keys()
    assert hostile.count("vegaEmbed(") >= 1
    assert len(hostile) < 2_000_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pm-will-it-rain", r"pm-will-it-rain"),
        ("us-../../etc/passwd", r"us-\.\.-\.\.-etc-passwd-[0-9a-f]{8}"),
        ("x" * 300, r"x{100}-[0-9a-f]{8}"),
        ("日本", r"[0-9a-f]{8}"),
        ("..", r"[0-9a-f]{8}"),
    ],
)
def test_a_page_is_named_after_its_market_safely(name: str, expected: str) -> None:
    assert re.fullmatch(expected, page.file_name(name))


def test_the_command_writes_a_page_and_its_picture(lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    followed(lake)
    assert command.main(["market", "will-it-rain", "--root", lake.root, "--out", str(tmp_path / "out")]) == 0
    assert "pm-will-it-rain.html" in capsys.readouterr().out
    picture = (tmp_path / "out" / "pm-will-it-rain.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) > (1_900, 1_500)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["market", "nothing"], "is called 'nothing'"),
        (["event", "nothing"], "is called 'nothing'"),
    ],
)
def test_what_is_not_there_is_one_sentence(lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:  # fmt: skip
    followed(lake)
    assert command.main([*arguments, "--root", lake.root, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_a_lake_the_command_says_what_begins_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    assert command.main(["market", "x", "--root", str(tmp_path / "none")]) == 1
    assert "there is no lake at" in capsys.readouterr().err
