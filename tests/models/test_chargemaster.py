"""Charge codes and texts of a hospital."""

from models.chargemaster import ChargeLine, Chargemaster
from models.codes import Service
from models.procedures import Stream

CHARGES = Chargemaster(
    (
        ChargeLine(service=Service.RECEIPT, codes=("87300001", "873*"), texts=("*thaw*",)),
        ChargeLine(service=Service.ADMINISTRATION, codes=("8730009",), texts=("*infusion*",)),
        ChargeLine(service=None, codes=("891_*",), texts=("nothing [yet]",)),
        ChargeLine(service=Service.COLLECTION, stream=Stream.PROFESSIONAL, texts=("pr *",)),
    )
)


def service(code: str | None, text: str | None = None) -> Service | str | None:
    charge = CHARGES.find(code, text)
    return "unmapped" if charge is None else charge.service


def test_many_charge_codes_stand_for_one_service() -> None:
    """A hospital has several charge codes for what is one service of a day."""
    assert service("87300001") == service("87399999") == Service.RECEIPT


def test_a_code_listed_as_such_goes_before_a_pattern() -> None:
    """An exception to a pattern needs no care about order."""
    assert service("8730009") is Service.ADMINISTRATION


def test_a_text_tells_where_no_code_is_listed() -> None:
    """Case and blanks do not matter; of several texts that match the first listed holds."""
    assert service(None, "HC Car-T  THAW & Infusion") is Service.RECEIPT
    assert service("999", "Car-T infusion") is Service.ADMINISTRATION


def test_a_code_goes_before_a_text() -> None:
    """The charge code is what a hospital maintains."""
    assert service("87300001", "Car-T infusion") is Service.RECEIPT


def test_what_is_not_ours_can_be_said() -> None:
    """A product is known not to be a service, which is more than not being known."""
    assert service("891_71287") is None
    assert service("892_71287") == "unmapped"


def test_only_the_asterisk_is_special() -> None:
    """Brackets and dots in a hospital's texts mean themselves."""
    assert service(None, "Nothing [yet]") is None
    assert service(None, "nothing y") == "unmapped"


def test_a_charge_line_may_tell_the_stream() -> None:
    """Professional charges have lines of their own in a chargemaster."""
    charge = CHARGES.find(None, "PR CAR-T harvest")
    assert charge is not None
    assert charge.stream is Stream.PROFESSIONAL
    assert not charge.by_code


def test_the_order_of_charge_codes_is_kept() -> None:
    """A survivor policy can prefer what is listed first."""
    first, second = CHARGES.find("87300001", None), CHARGES.find("8730009", None)
    assert first is not None
    assert second is not None
    assert first.rank is not None
    assert second.rank is not None
    assert first.rank < second.rank
