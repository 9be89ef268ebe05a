"""Prices from one dated file; each says whether anybody verified it, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from overread.document_faults import Faults
from overread.errors import InvalidDataError
from overread.strict_json import parse_json


@dataclass(frozen=True, slots=True)
class Tier:
    """A price up to a quantity in a month; None: for all that is beyond."""

    up_to: float | None
    usd: float


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs, by tiers of a month's quantity."""

    unit: str
    tiers: tuple[Tier, ...]
    verified: bool
    source: str

    def of(self, quantity: float) -> float:
        """US dollars for a month's quantity."""
        total, below = 0.0, 0.0
        for tier in self.tiers:
            most = quantity if tier.up_to is None else min(quantity, tier.up_to)
            total += max(most - below, 0.0) * tier.usd
            below = max(below, most)
        return total


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices by name, of one region on one day."""

    as_of: str
    region: str
    prices: Mapping[str, Price]


def parse_prices(text: str) -> PriceList:
    """The price list in a JSON document.

    Raises:
        InvalidDataError: with every fault of the document.
    """
    faults = Faults()
    try:
        document = parse_json(text)
    except ValueError as error:
        raise InvalidDataError([f"the price file is not JSON: {error}"]) from error
    if not isinstance(document, dict) or not isinstance(document.get("prices"), dict):
        raise InvalidDataError(["the price file must be an object with `as_of`, `region` and `prices`"])
    prices = {name: _price(name, stated, faults) for name, stated in document["prices"].items()}
    for field in ("as_of", "region"):
        if not isinstance(document.get(field), str):
            faults.found.append(f"{field} must be a text")
    if faults.found:
        raise InvalidDataError(faults.found)
    return PriceList(document["as_of"], document["region"], prices)


def _price(name: str, stated: object, faults: Faults) -> Price:
    if not isinstance(stated, dict):
        faults.found.append(f"prices.{name} must be an object")
        return Price("", (), verified=False, source="")
    texts = {field: stated.get(field) for field in ("unit", "source")}
    for field, text in texts.items():
        if not isinstance(text, str) or not text:
            faults.found.append(f"prices.{name}.{field} must be a text")
    if not isinstance(stated.get("verified"), bool):
        faults.found.append(f"prices.{name}.verified must be true or false")
    tiers = _tiers(name, stated.get("tiers"), faults)
    return Price(
        str(texts["unit"]), tiers, verified=stated.get("verified") is True, source=str(texts["source"])
    )


def _tiers(name: str, stated: object, faults: Faults) -> tuple[Tier, ...]:
    where = f"prices.{name}.tiers"
    tiers: list[Tier] = []
    for item in stated if isinstance(stated, list) else ():
        limit, usd = (item.get("up_to"), item.get("usd")) if isinstance(item, dict) else (None, None)
        if not _is_number(usd) or not (limit is None or _is_number(limit)):
            faults.found.append(f"{where} must hold objects with up_to (a number or null) and usd (a number)")
            return ()
        tiers.append(Tier(limit, float(usd)))  # type: ignore[arg-type]
    limits: Sequence[float | None] = [tier.up_to for tier in tiers]
    known = [limit for limit in limits if limit is not None]
    if not tiers or limits[-1] is not None or len(known) != len(limits) - 1 or known != sorted(known):
        faults.found.append(f"{where} must rise, and only the last may have up_to null")
        return ()
    return tuple(tiers)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
