"""Acks: what billing did with a charge, as JSON on ``billing.acks``."""

from typing import Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from models.billing import Acknowledged

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class Ack(BaseModel):
    """Billing took a charge over, put it on a claim, or refuses it. Other fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    charge_id: Name = Field(description="The id of the charge, as its billing event bears it.")
    patient: Name = Field(description="The patient of the charge, as its billing event bears it.")
    status: Acknowledged = Field(description="What billing did with the charge.")
    reason: Why | None = Field(None, validate_default=True, description="Refused: why. Needed then.")
    time: AwareDatetime | None = Field(None, description="When, with offset.")

    @field_validator("reason")
    @classmethod
    def _refused_says_why(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if not reason and info.data.get("status") is Acknowledged.REFUSED:
            raise ValueError("why billing refuses the charge")
        return reason or None
