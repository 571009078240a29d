"""Millionths are exact: held against Decimal over endless inputs."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.venue import ids, instants, numbers
from polymarket_assets.venue.records import E6

WHOLE = st.integers(0, 10**15).map(str)
PART = st.text("0123456789", min_size=0, max_size=12)
SIGN = st.sampled_from(["", "", "", "-", "+"])
EXPONENT = st.one_of(st.just(""), st.integers(-9, 3).map(lambda n: f"e{n}"))


def exact(text: str) -> int:
    with localcontext() as context:
        context.prec = 100
        return int((Decimal(text) * E6).to_integral_value(ROUND_HALF_EVEN))


@given(SIGN, WHOLE, PART, EXPONENT)
def test_e6_is_what_decimal_says(sign: str, whole: str, part: str, exponent: str) -> None:
    for text in (
        f"{sign}{whole}.{part}{exponent}",
        f"{sign}{whole}{exponent}",
        f"{sign}.{part or 0}{exponent}",
    ):
        assert numbers.e6(text) == exact(text)


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    try:
        value = numbers.e6(text)
    except ValueError:
        return
    assert value == exact(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.53", 530_000), (".5", 500_000), ("5.", 5_000_000), ("5579792.8", 5_579_792_800_000), ("1e-3", 1_000), ("0.0000005", 0), ("0.0000015", 2), ("1E+2", 100_000_000)],
)  # fmt: skip
def test_e6_by_example(text: str, value: int) -> None:
    assert numbers.e6(text) == value


@pytest.mark.parametrize("text", ["", ".", "NaN", "Infinity", "-inf", "1_000", " 1", "1 ", "１", "²", "0x1", "1e", "1e99999", "9" * 65, "1,5"])  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    """Python reads several of these; the venue never writes them."""
    with pytest.raises(ValueError):
        numbers.e6(text)


@pytest.mark.parametrize("text", ["-0.1", "1.000001", "2"])
def test_a_price_lies_between_0_and_1(text: str) -> None:
    with pytest.raises(ValueError, match="not a price"):
        numbers.price_e6(text)


@pytest.mark.parametrize("text", ["-1", "1000000000001"])
def test_a_size_fits_its_column(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        numbers.size_e6(text)
    assert numbers.size_e6(str(numbers.MOST)) * E6 // E6 < 2**63


@pytest.mark.parametrize("value", [True, None, [], {}, 10**40, float("nan"), float("inf")])
def test_a_size_is_not_read_from_anything_else(value: object) -> None:
    with pytest.raises(ValueError):
        numbers.size_e6(numbers.text_of(value))


@pytest.mark.parametrize("value", ["2026-11-22T10:00:00Z", "2026-11-22 10:00:00+00", "2026-11-22 10:00:00.000000+00", "2026-11-22T10:00:00.000000000Z", "2026-11-22T05:00:00-05:00", "2026-11-22T10:00:00"])  # fmt: skip
def test_an_instant_in_all_its_spellings(value: str) -> None:
    assert instants.instant(value) == instants.unix_s(1795341600) == instants.unix_ms("1795341600000")


@pytest.mark.parametrize(
    "value", ["NOW()", "November 5, 2024", "0001-01-01T00:00:00+10:00", "soon", "2026-13-01"]
)
def test_words_are_no_instants(value: str) -> None:
    with pytest.raises(ValueError, match="not an instant"):
        instants.instant(value)


@pytest.mark.parametrize("value", [-1, 1795341600000, "17x", "", True, 1.5, 10**30, "٣", None])
def test_what_is_no_unix_time(value: object) -> None:
    """Milliseconds where seconds belong would be the year 58,000."""
    with pytest.raises(ValueError, match="not a Unix time"):
        instants.unix_s(value)


def test_condition_ids_have_one_form() -> None:
    assert ids.condition_id("0x" + "AB" * 32) == "0x" + "ab" * 32
    padded = ids.condition_id("0x" + "0c" * 31)
    assert padded == "0x" + "0c" * 31 + "00"
    assert ids.wire_forms(padded) == (padded, "0x" + "0c" * 31)
    assert ids.wire_forms("0x" + "ab" * 32) == ("0x" + "ab" * 32,)


@pytest.mark.parametrize(
    "text", ["", "0x", "ab" * 32, "0x" + "ab" * 30, "0x" + "zz" * 32, "0x" + "ab" * 32 + "\n"]
)
def test_what_is_no_condition_id(text: str) -> None:
    with pytest.raises(ValueError, match="not a condition id"):
        ids.condition_id(text)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "0x1", "٣", "1" * 79])
def test_what_is_no_token_id(text: str) -> None:
    with pytest.raises(ValueError, match="not a token id"):
        ids.token_id(text)
