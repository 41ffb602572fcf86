"""News: what the ledger tells ``identity``, which sees what no single patient's partition can."""

from datetime import date

import msgspec


class Stated(msgspec.Struct, frozen=True, array_like=True, tag="stated"):
    """A statement that became the highest of its procedure under the patient that it was stated of."""

    source: str
    procedure_id: str
    patient: str
    order: tuple[str, int, str]
    """Of the statements under several patients the highest holds."""
    at: int
    """Of two news about a procedure of one patient the higher holds."""
    unique: bool
    event_id: str
    facility: str | None = None
    service_date: date | None = None


class Product(msgspec.Struct, frozen=True, array_like=True, tag="product"):
    """A product was stated of a patient for the first time."""

    product: str
    patient: str
    event_id: str
    facility: str | None = None
    service_date: date | None = None


News = Stated | Product

encode_news = msgspec.json.Encoder().encode
decode_news = msgspec.json.Decoder(News).decode


def news_key(news: News) -> bytes:
    """What ``identity`` keeps together: the procedure or the product."""
    if isinstance(news, Stated):
        return f"procedure|{news.source}|{news.procedure_id}".encode()
    return f"product|{news.product}".encode()
