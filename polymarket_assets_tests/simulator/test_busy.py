"""The profile that drills are run against: its rate, its mix, and that its books stay true at that."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from polymarket_assets_tests.simulator.conftest import lines
from polymarket_assets_tests.simulator.listening import Client, live_tokens
from polymarket_assets_tests.simulator.recorder import Recorder
from simulator.generated import venue as generated
from simulator.running import start

RATE, LASTS_S = 1_000.0, 4.0


class Heard:
    """What one who listens to everything hears in some seconds, and the ledger of it."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        with start(profile="busy", rate=RATE, ledger=ledger) as venue:
            self.ids = live_tokens(venue)
            self.client = Client(venue, self.ids)
            self.client.catches_up()
            seen, began = len(self.client.heard), time.monotonic()
            time.sleep(LASTS_S)
            self.rate = (len(self.client.heard) - seen) / (time.monotonic() - began)
            asked = [{"token_id": token} for token in self.ids[-500:]]
            self.books = requests.post(f"{venue.clob_url}/books", json=asked, timeout=10).json()
            self.client.catches_up()
        self.client.waits_for_the_end()
        self.types = Counter(text.split('"event_type":"')[1].split('"')[0] for text in self.client.data if text[0] == "{")  # fmt: skip


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Heard:
    return Heard(tmp_path_factory.mktemp("busy") / "ledger.jsonl")


def test_it_sends_as_many_frames_as_were_asked_for(heard: Heard) -> None:
    assert 300 <= len(heard.ids) / 2 <= 500
    assert heard.rate == pytest.approx(RATE, rel=0.3)


def test_frames_are_mixed_as_the_venue_s(heard: Heard) -> None:
    total = heard.types.total()
    assert heard.types["price_change"] / total > 0.9
    assert 0.005 < heard.types["book"] / total < 0.03
    assert heard.types["book"] == pytest.approx(2 * heard.types["last_trade_price"], abs=20)


def test_its_books_are_those_that_hashes_prove(heard: Heard) -> None:
    assert Recorder(heard.ids).apply(heard.client.data) > 1_000


def test_rest_has_books_that_the_stream_told(heard: Heard) -> None:
    """Of a book that changed since, the stream has told the one before."""
    told = "".join(heard.client.data)
    assert len(heard.books) > 400
    assert all(book["hash"] in told for book in heard.books)


def test_its_ledger_has_every_trade(heard: Heard) -> None:
    trades = heard.client.frames("last_trade_price")
    listed = {line["tx_hash"] for line in lines(heard.ledger, "trade") if line["sockets"]}
    assert len(trades) >= 10
    assert {trade["transaction_hash"] for trade in trades} == listed


@pytest.mark.parametrize(("profile", "rate"), [("demo", 100.0), ("busy", 0.0)])
def test_a_rate_that_cannot_be_is_refused(profile: str, rate: float) -> None:
    with pytest.raises(ValueError, match="--rate"):
        generated(seed=1, ledger=None, profile=profile, rate=rate)
