"""Features: on which levels the brokers of a cluster agreed, in a version that tells them."""

from io import BytesIO

from aiokafka.protocol.api import Request, RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.types import CompactArray, Int16, Int32, Schema

from streams.kafka.wire import TAGS, TEXT

_AGREED = 2
"""The tag of the levels in the answer."""
_LEVELS = CompactArray(("feature", TEXT), ("level", Int16), ("lowest", Int16), TAGS)


class _Response(Response):  # type: ignore[misc]
    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "api_versions",
            CompactArray(("api_key", Int16), ("min_version", Int16), ("max_version", Int16), TAGS),
        ),
        ("throttle_time_ms", Int32),
        TAGS,
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 18
    API_VERSION = 3
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(("software", TEXT), ("version", TEXT), TAGS)

    def parse_response_header(self, read_buffer: BytesIO) -> ResponseHeader_v0:
        """The first version's, always: whoever asks may not know yet what the broker speaks (KIP-511)."""
        return ResponseHeader_v0.decode(read_buffer)


class FeaturesRequest(Request[_Struct]):  # type: ignore[misc]
    """Asks a broker for what it speaks, and for the levels of features."""

    API_KEY = 18

    def build(self, request_struct_class: type[_Struct]) -> _Struct:
        return request_struct_class("perdiem", "1", {})


def levels(answer: Response) -> dict[str, int]:
    """By name of the feature; one that the brokers have not agreed upon is missing."""
    tagged: bytes | None = answer.tags.get(_AGREED)
    return {feature: level for feature, level, *_ in _LEVELS.decode(BytesIO(tagged))} if tagged else {}
