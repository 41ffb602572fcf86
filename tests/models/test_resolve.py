"""Intake's half of the rule: what becomes of a message."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.billing import Decision, Outcome, Reason, Warning  # noqa: A004 - the design's word
from models.codes import Service
from models.facilities_file import parse
from models.messages import MessageIdentity, ProcedureMessage, StatedPatient, Unreadable
from models.procedures import (
    Performer,
    ProcedureEvent,
    Reporting,
    Status,
    Stream,
    VersionKind,
    decode_procedure,
    encode_procedure,
)
from models.resolve import dead_letter, resolve

FILE = """
[[authorities]]
id = "UH"
aliases = ["UH^2.16^ISO"]
strip_leading_zeros = true

[[facilities]]
id = "lakeside"
aliases = ["LUH"]
time_zone = "America/New_York"
reports_from = 2020-01-01
lateness_days = 3
streams = ["facility", "professional"]

[[facilities.sources]]
id = "lab"
sending_applications = ["LAB"]
default_stream = "facility"
version = "number"
procedure_ids = "unique"

[[facilities.sources]]
id = "ward"
sending_applications = ["WARD"]
default_authority = "UH"
version = "recorded"
procedure_ids = "unique"
utc_midnight_is_date = true

[[facilities.sources]]
id = "clinic"
sending_applications = ["CLINIC"]
default_stream = "facility"
version = "message_time"
procedure_ids = "within_message"

[[facilities.sources]]
id = "new"
sending_applications = ["NEW"]
default_stream = "facility"
version = "number"

[[facilities.charges]]
service = "collection"
codes = ["100"]
texts = ["*apheresis*"]

[[facilities.charges]]
service = "administration"
stream = "professional"
codes = ["PR1"]
texts = ["pr *"]

[[facilities.charges]]
service = "not_ours"
codes = ["900"]
texts = ["*leucel*"]

[[facilities]]
id = "bayview"
time_zone = "America/Los_Angeles"
inpatient = "not_reported"
inpatient_classes = ["i"]
survivor = "charge_code"
revenue_codes = { receipt = "362" }

[[facilities.charges]]
service = "collection"
codes = ["B1", "B2"]

[[facilities.periods]]
from = 2024-01-01

[[facilities.periods]]
from = 2025-01-01
pre_infusion = "in_product_for_inpatients"
inpatient = "reported"

[[facilities.periods]]
from = 2026-01-01
to = 2026-12-31
pre_infusion = "in_product"
service_date = "end"
"""
FACILITIES = parse(FILE)
EVENT_ID = "lab.procedures:0:7:0"
RECEIVED = int(datetime(2025, 3, 11, 12, tzinfo=UTC).timestamp() * 1000)

STATED: dict[str, Any] = {
    "sending_application": "LAB",
    "sending_facility": "lakeside",
    "message_id": "M1",
    "procedure_id": "P1",
    "patient": {"mrn": "0017", "assigning_authority": "UH"},
    "version": 1,
    "recorded": "2025-03-10T12:00:00Z",
    "sent": "2025-03-10T12:01:00Z",
    "status": "performed",
    "code": "38225",
    "performed": {"start": "2025-03-10T08:00:00-04:00"},
}


def resolved(**changes: Any) -> ProcedureEvent | Decision:
    message = ProcedureMessage.model_validate(STATED | changes, strict=False)
    return resolve(message, FACILITIES, event_id=EVENT_ID, received=RECEIVED)


def event(**changes: Any) -> ProcedureEvent:
    result = resolved(**changes)
    assert isinstance(result, ProcedureEvent), result
    return result


def decision(**changes: Any) -> Decision:
    result = resolved(**changes)
    assert isinstance(result, Decision), result
    return result


def performed(start: str | None, end: str | None = None) -> dict[str, str | None]:
    return {"start": start, "end": end}


class TestWhoAndWhich:
    """Source, procedure, patient, version."""

    def test_a_complete_message_becomes_an_event_with_everything_resolved(self) -> None:
        """Nothing after intake needs the facilities file."""
        said = event()
        assert (said.event_id, said.received, said.message_id) == (EVENT_ID, RECEIVED, "M1")
        assert (said.source, said.procedure_id, said.patient) == ("lab", "P1", "UH|17")
        assert (said.facility, said.stream, said.service) == ("lakeside", Stream.FACILITY, Service.COLLECTION)
        assert (said.service_date, said.code, said.revenue_code) == (date(2025, 3, 10), "38225", "0871")
        assert said.counts
        assert said.warnings == ()
        assert len(said.settings) == 12

    @pytest.mark.parametrize("authority", ["UH", "UH^2.16^ISO"])
    @pytest.mark.parametrize("mrn", ["17", "0017", " 17"])
    @pytest.mark.parametrize("facility", ["lakeside", "LUH"])
    def test_one_patient_under_several_spellings_is_one(
        self, authority: str, mrn: str, facility: str
    ) -> None:
        """Authority, number and facility have one spelling after intake."""
        said = event(sending_facility=facility, patient={"mrn": mrn, "assigning_authority": authority})
        assert (said.patient, said.stated_patient, said.source) == ("UH|17", "UH|17", "lab")

    def test_a_source_may_have_a_default_authority(self) -> None:
        """A system of one authority need not name it."""
        assert event(sending_application="WARD", patient={"mrn": "17"}, stream="facility").patient == "UH|17"

    @pytest.mark.parametrize(
        ("changes", "reason", "field"),
        [
            ({"sending_application": "OTHER"}, Reason.UNKNOWN_SOURCE, "sending_application"),
            ({"sending_facility": None}, Reason.UNKNOWN_SOURCE, "sending_facility"),
            ({"patient": {"mrn": "17"}}, Reason.UNKNOWN_AUTHORITY, "patient.assigning_authority"),
            (
                {"patient": {"mrn": "17", "assigning_authority": "XX"}},
                Reason.UNKNOWN_AUTHORITY,
                "patient.assigning_authority",
            ),
            ({"patient": {"mrn": "000", "assigning_authority": "UH"}}, Reason.NO_MRN, "patient.mrn"),
            ({"patient": {"mrn": "1|7", "assigning_authority": "UH"}}, Reason.NO_MRN, "patient.mrn"),
            ({"patient": None}, Reason.UNKNOWN_AUTHORITY, "patient.assigning_authority"),
            ({"procedure_id": None}, Reason.NO_PROCEDURE_ID, "procedure_id"),
            ({"procedure_id": ""}, Reason.NO_PROCEDURE_ID, "procedure_id"),
            ({"procedure_id": "P|1"}, Reason.NO_PROCEDURE_ID, "procedure_id"),
            ({"sending_application": "NEW"}, Reason.NO_PROCEDURE_ID, "procedure_id"),
            ({"sending_application": "CLINIC", "message_id": None}, Reason.NO_PROCEDURE_ID, "message_id"),
            ({"version": None}, Reason.NO_VERSION, "version"),
            ({"sending_application": "WARD", "recorded": None}, Reason.NO_VERSION, "recorded"),
            ({"sending_application": "CLINIC", "sent": None}, Reason.NO_VERSION, "sent"),
        ],
    )
    @pytest.mark.parametrize("status", ["performed", "withdrawn", "not_performed", "in_progress"])
    def test_what_does_not_say_which_procedure_it_is_about_is_held(
        self, status: str, changes: dict[str, Any], reason: Reason, field: str
    ) -> None:
        """Whatever it states, it can be placed by a person only."""
        said = decision(**({"stream": "facility", "status": status} | changes))
        assert (said.outcome, said.reason) == (Outcome.HELD, reason)
        assert said.field is not None
        assert field in said.field
        assert said.detail

    def test_procedure_ids_unique_within_a_message_are_joined_to_it(self) -> None:
        """In another message it is another procedure; without one its place in the message is taken."""
        clinic = {"sending_application": "CLINIC"}
        ids = [
            event(**clinic).procedure_id,
            event(**clinic, message_id="M2").procedure_id,
            event(**clinic, procedure_id=None).procedure_id,
        ]
        assert ids == ["M1:P1", "M2:P1", "M1:0"]

    def test_versions_sort_as_text(self) -> None:
        """The ledger compares them without knowing their kind."""
        assert event(version=9).version < event(version=10).version
        ward = {"sending_application": "WARD", "stream": "facility"}
        said = event(**ward, recorded="2025-03-10T08:00:00")
        assert (said.version_kind, said.version) == (VersionKind.RECORDED, "2025-03-10T12:00:00.000000Z")
        assert said.version < event(**ward, recorded="2025-03-10T08:30:00-04:00").version
        assert event(sending_application="CLINIC").version_kind is VersionKind.MESSAGE_TIME

    def test_a_held_message_keeps_what_could_be_resolved(self) -> None:
        """Who works on it sees what is known, and a standing charge of the procedure can be found."""
        said = decision(version=None)
        assert (said.event_id, said.sequence, said.cause) == (EVENT_ID, 1, EVENT_ID)
        assert (said.source, said.procedure_id, said.patient) == ("lab", "P1", "UH|17")
        assert (said.facility, said.service, said.service_date) == (
            "lakeside",
            Service.COLLECTION,
            date(2025, 3, 10),
        )
        assert said.received == RECEIVED

    def test_a_decision_never_repeats_what_the_source_sent(self) -> None:
        """No patient id reaches a detail text."""
        secret = "MRN|4711"
        for changes in (
            {"patient": {"mrn": secret, "assigning_authority": "UH"}},
            {"patient": {"mrn": "1", "assigning_authority": secret}},
            {"procedure_id": secret},
            {"code": secret},
            {"facility": secret},
        ):
            said = decision(**changes)
            assert secret not in f"{said.field} {said.detail}"


class TestWhatAndWhen:
    """Service, code, date, stream."""

    @pytest.mark.parametrize(
        ("stated", "day", "code", "warns"),
        [
            ("38226", "2025-01-01", "38226", False),
            ("0538T", "2024-12-31", "0538T", False),
            ("0538T", "2025-01-01", "38226", True),
            ("0538t", "2025-01-01", "38226", True),
            ("38226", "2024-12-31", "0538T", True),
        ],
    )
    def test_the_code_in_force_on_the_service_date_reports_it(
        self, stated: str, day: str, code: str, warns: bool
    ) -> None:
        """Codes of the other set are mapped, and the event says so."""
        said = event(code=stated, performed=performed(day))
        assert (said.service, said.code) == (Service.TRANSPORT, code)
        assert (Warning.CODE_MAPPED in said.warnings) is warns
        assert said.stated_code == (stated.upper() if warns else None)

    def test_charge_code_or_text_tell_where_no_code_is_stated(self) -> None:
        """Hospitals often know only their own codes."""
        assert event(code=None, charge_code="100").service is Service.COLLECTION
        assert event(code=None, description="HC CAR-T Apheresis").service is Service.COLLECTION
        said = event(code="LOCAL", charge_code="100")
        assert (said.service, said.stated_code, said.warnings) == (Service.COLLECTION, "LOCAL", ())

    def test_a_charge_code_that_contradicts_the_code_is_held(self) -> None:
        """Neither is taken for right; a mere text does not contradict."""
        for changes in ({"code": "38228"}, {"code": "Q2041"}, {"charge_code": "900"}):
            said = decision(**({"charge_code": "100"} | changes))
            assert (said.outcome, said.reason) == (Outcome.HELD, Reason.CONFLICTING_CODES)
        assert event(code="38228", description="apheresis product infused").service is Service.ADMINISTRATION

    def test_what_maps_to_nothing_is_held(self) -> None:
        """A new charge code loses no charge."""
        said = decision(code=None, charge_code="101")
        assert (said.outcome, said.reason, said.field) == (Outcome.HELD, Reason.UNMAPPED_CODE, "charge_code")
        assert decision(code=None).field == "code"

    @pytest.mark.parametrize(
        "changes",
        [
            {"code": "Q2041"},
            {"code": "99213"},
            {"code": None, "charge_code": "900"},
            {"code": None, "description": "TISAGENLECLEUCEL"},
        ],
    )
    def test_what_is_none_of_the_four_services_is_not_ours(self, changes: dict[str, Any]) -> None:
        """It goes on to the ledger, since it may correct what was one of ours."""
        said = event(**changes)
        assert (said.reporting, said.service) == (Reporting.NOT_OURS, None)
        assert not said.counts

    def test_what_is_not_ours_is_never_held(self) -> None:
        """Nobody is bothered with another department's messages."""
        for changes in (
            {"sending_application": "XX"},
            {"patient": None},
            {"performed": None},
            {"version": None},
        ):
            said = resolved(code="99213", **changes)
            if isinstance(said, Decision):
                assert (said.outcome, said.reason) == (Outcome.NOT_OURS, Reason.NOT_A_CART_SERVICE)
            else:
                assert said.reporting is Reporting.NOT_OURS

    @pytest.mark.parametrize("processing", ["T", "D", "test"])
    @pytest.mark.parametrize("status", ["performed", "withdrawn"])
    def test_a_test_message_touches_nothing(self, processing: str, status: str) -> None:
        """It makes no charge and takes none away."""
        said = decision(processing=processing, status=status)
        assert (said.outcome, said.reason) == (Outcome.NOT_OURS, Reason.TEST_MESSAGE)

    @pytest.mark.parametrize("processing", ["P", "p", None])
    def test_production_is_what_is_not_marked_otherwise(self, processing: str | None) -> None:
        """A source that marks nothing is in production."""
        assert event(processing=processing).counts

    @pytest.mark.parametrize(
        ("start", "day"),
        [
            ("2025-03-11T03:59:00Z", "2025-03-10"),
            ("2025-03-11T04:00:00Z", "2025-03-11"),
            ("2025-03-10T23:59:59", "2025-03-10"),
            ("2025-03-09T02:30:00", "2025-03-09"),
            ("2025-11-02T01:30:00", "2025-11-02"),
            ("2025-11-02T05:30:00Z", "2025-11-02"),
            ("2025-03-10", "2025-03-10"),
        ],
    )
    def test_the_service_date_is_the_local_date_of_the_start(self, start: str, day: str) -> None:
        """Also on the days on which the clocks change; the end does not matter."""
        said = event(performed=performed(start, "2025-12-24T10:00:00Z"))
        assert said.service_date == date.fromisoformat(day)

    @pytest.mark.parametrize(
        "start",
        ["2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z", "2025-11-02T01:30:00", "2025-03-09T02:30:00"],
    )
    def test_an_event_read_back_equals_the_one_sent(self, start: str) -> None:
        """A time in the repeated or the skipped hour must not look changed, or it would be charged anew."""
        said = event(performed=performed(start))
        assert decode_procedure(encode_procedure(said)) == said

    def test_a_bare_date_has_no_time(self) -> None:
        """Midnight UTC is one where the source is declared to write it so."""
        assert event(performed=performed("2025-03-10")).performed_start is None
        ward = event(
            sending_application="WARD", stream="facility", performed=performed("2025-03-10T00:00:00Z")
        )
        assert (ward.service_date, ward.performed_start) == (date(2025, 3, 10), None)
        lab = event(performed=performed("2025-03-10T00:00:00Z"))
        assert lab.service_date == date(2025, 3, 9)

    def test_times_are_in_the_facilitys_zone(self) -> None:
        """Of the facility where it was performed, not of the one that sent it."""
        said = event(facility="bayview", performed=performed("2025-03-11T05:00:00Z", "2025-03-11T08:00:00Z"))
        assert (said.facility, said.service_date) == ("bayview", date(2025, 3, 10))
        assert str(said.performed_start) == "2025-03-10 22:00:00-07:00"
        assert str(said.performed_end) == "2025-03-11 01:00:00-07:00"

    def test_a_facility_may_date_by_the_end(self) -> None:
        """By the start where no end is known."""
        there = {"facility": "bayview", "code": "38228"}
        night = performed("2026-05-01T23:00:00", "2026-05-02T01:00:00")
        assert event(**there, performed=night).service_date == date(2026, 5, 2)
        assert event(**there, performed=performed("2026-05-01T23:00:00")).service_date == date(2026, 5, 1)

    def test_the_settings_are_those_of_the_service_date(self) -> None:
        """Also where a night ends on a day that has others, or none."""
        new_year = performed("2026-12-31T23:00:00", "2027-01-01T01:00:00")
        said = decision(facility="bayview", code="38228", performed=new_year)
        assert (said.reason, said.service_date) == (Reason.OUTSIDE_SETTINGS, date(2027, 1, 1))

    def test_the_stream_is_the_events_else_the_charge_codes_else_the_sources(self) -> None:
        """One event never makes two charges."""
        professional = {"code": None, "charge_code": "PR1"}
        assert event().stream is Stream.FACILITY
        assert event(**professional).stream is Stream.PROFESSIONAL
        assert event(**professional, stream="facility").stream is Stream.FACILITY
        assert event(description="pr harvest").stream is Stream.FACILITY

    def test_the_revenue_code_is_the_events_else_the_facilitys_else_the_usual(self) -> None:
        """Always four digits."""
        assert event(revenue_code="761").revenue_code == "0761"
        assert event().revenue_code == "0871"
        receipt = {"facility": "bayview", "code": "38227", "performed": performed("2024-06-01")}
        assert event(**receipt).revenue_code == "0362"

    @pytest.mark.parametrize(
        ("changes", "reason", "field"),
        [
            ({"facility": "XX"}, Reason.UNKNOWN_FACILITY, "facility"),
            ({"performed": None}, Reason.NO_SERVICE_DATE, "performed.start"),
            ({"performed": {"end": "2025-03-10"}}, Reason.NO_SERVICE_DATE, "performed.start"),
            ({"performed": {"start": "2019-12-31"}}, Reason.BEFORE_GO_LIVE, "performed.start"),
            (
                {"facility": "bayview", "performed": {"start": "2023-12-31"}},
                Reason.OUTSIDE_SETTINGS,
                "performed.start",
            ),
            ({"sending_application": "WARD"}, Reason.NO_STREAM, "stream"),
            ({"revenue_code": "87"}, Reason.BAD_REVENUE_CODE, "revenue_code"),
            ({"revenue_code": "87x1"}, Reason.BAD_REVENUE_CODE, "revenue_code"),
        ],
    )
    def test_a_performed_procedure_of_ours_needs_everything(
        self, changes: dict[str, Any], reason: Reason, field: str
    ) -> None:
        """What is missing is named; the same in a statement that takes back is no reason to hold it."""
        said = decision(**changes)
        assert (said.outcome, said.reason, said.field) == (Outcome.HELD, reason, field)
        for status in ("withdrawn", "not_performed", "in_progress"):
            assert event(**changes, status=status).status == Status(status)

    def test_what_is_not_on_a_line_of_its_own_needs_no_revenue_code(self) -> None:
        """Nobody has to mend what will not be charged."""
        said = event(facility="bayview", performed=performed("2026-06-01"), revenue_code="87x1")
        assert (said.reporting, said.revenue_code) == (Reporting.IN_PRODUCT, None)

    def test_the_day_of_go_live_is_reported(self) -> None:
        """Reporting starts on it, not after it."""
        assert event(performed=performed("2020-01-01")).counts

    def test_before_2019_there_was_no_code(self) -> None:
        """A service date that no code covers is held."""
        early = parse(FILE.replace("reports_from = 2020-01-01", ""))
        message = ProcedureMessage.model_validate(
            STATED | {"performed": performed("2018-12-31")}, strict=False
        )
        said = resolve(message, early, event_id=EVENT_ID, received=RECEIVED)
        assert isinstance(said, Decision)
        assert said.reason is Reason.NO_CODE_ON_DATE


class TestPolicy:
    """How the facility reports it."""

    @pytest.mark.parametrize(
        ("day", "code", "patient_class", "reporting"),
        [
            ("2024-06-01", "38225", "O", Reporting.SEPARATE),
            ("2024-06-01", "38228", "I", Reporting.INPATIENT),
            ("2025-06-01", "38228", "I", Reporting.SEPARATE),
            ("2025-06-01", "38225", "i", Reporting.IN_PRODUCT),
            ("2025-06-01", "38225", "O", Reporting.SEPARATE),
            ("2026-06-01", "38226", None, Reporting.IN_PRODUCT),
            ("2026-06-01", "38227", "O", Reporting.IN_PRODUCT),
            ("2026-06-01", "38228", "O", Reporting.SEPARATE),
        ],
    )
    def test_the_policy_in_force_on_the_service_date_holds(
        self, day: str, code: str, patient_class: str | None, reporting: Reporting
    ) -> None:
        """Separate lines or in the product, inpatients reported or not, each from its date on."""
        said = event(facility="bayview", performed=performed(day), code=code, patient_class=patient_class)
        assert said.reporting is reporting

    def test_a_stream_that_the_facility_does_not_report_is_not_ours(self) -> None:
        """Somebody else bills it."""
        said = event(facility="bayview", stream="professional")
        assert (said.reporting, said.service) == (Reporting.NOT_OURS, Service.COLLECTION)

    def test_a_physicians_service_is_reported_whatever_the_hospital_does(self) -> None:
        """Product and inpatient policies are those of facility billing."""
        both = parse(FILE.replace('survivor = "charge_code"', 'streams = ["facility", "professional"]'))
        stated = STATED | {
            "facility": "bayview",
            "stream": "professional",
            "patient_class": "I",
            "performed": performed("2026-06-01"),
        }
        message = ProcedureMessage.model_validate(stated, strict=False)
        said = resolve(message, both, event_id=EVENT_ID, received=RECEIVED)
        assert isinstance(said, ProcedureEvent)
        assert said.reporting is Reporting.SEPARATE

    def test_the_earliest_start_is_preferred(self) -> None:
        """And a known start to an unknown one."""
        starts = ["2025-03-10T09:00:00-04:00", "2025-03-10T13:30:00Z", "2025-03-10T10:00:00", "2025-03-10"]
        survivors = [event(performed=performed(start)).survivor for start in starts]
        assert survivors == sorted(survivors)

    def test_a_facility_may_prefer_by_charge_code(self) -> None:
        """In the order in which its file lists them; what it does not list comes last."""
        late, early = performed("2025-03-10T20:00:00"), performed("2025-03-10T01:00:00")
        survivors = [
            event(facility="bayview", charge_code="B1", performed=late).survivor,
            event(facility="bayview", charge_code="B2", performed=early).survivor,
            event(facility="bayview", charge_code="B3", performed=early).survivor,
        ]
        assert survivors == sorted(survivors)


class TestWarnings:
    """What a person may want to look at; never a reason not to charge."""

    def test_a_wrong_npi_costs_no_charge(self) -> None:
        """The performer is left out, and the event says so."""
        said = event(performers=[{"npi": "1234567893", "role": "lead"}, {"npi": "123"}, {"role": "x"}])
        assert said.performers == (Performer("1234567893", "lead"),)
        assert said.warnings == (Warning.PERFORMER_LEFT_OUT,)

    @pytest.mark.parametrize(
        ("day", "warnings"),
        [
            ("2025-03-12", (Warning.FUTURE_SERVICE_DATE,)),
            ("2025-03-08", ()),
            ("2025-03-07", (Warning.LATE,)),
            ("2024-03-11", (Warning.CODE_MAPPED, Warning.LATE)),
            ("2024-03-10", (Warning.CODE_MAPPED, Warning.LATE, Warning.PAST_FILING_LIMIT)),
        ],
    )
    def test_events_from_the_future_and_late_ones_are_marked(
        self, day: str, warnings: tuple[Warning, ...]
    ) -> None:
        """By the date of receipt at the facility."""
        assert event(performed=performed(day)).warnings == warnings


class TestDigest:
    """What makes two statements the same."""

    @pytest.mark.parametrize(
        "changes",
        [{"message_id": "M2"}, {"sent": "2026-01-01"}, {"version": 2}, {"recorded": None}, {"quantity": 3}],
    )
    def test_a_resend_has_the_same_digest(self, changes: dict[str, Any]) -> None:
        """Message id, times of sending and recording, version and quantity are not clinical content."""
        assert event(**changes).digest == event().digest

    @pytest.mark.parametrize(
        "changes",
        [
            {"code": "38228"},
            {"charge_code": "100"},
            {"performed": {"start": "2025-03-10T08:00:01-04:00"}},
            {"performed": {"start": "2025-03-10T08:00:00-04:00", "end": "2025-03-10"}},
            {"account_number": "A"},
            {"encounter_number": "E"},
            {"patient_class": "I"},
            {"modifiers": ["59"]},
            {"revenue_code": "0871"},
            {"performers": [{"npi": "1234567893"}]},
            {"products": ["W1"]},
            {"stream": "professional"},
            {"facility": "LUH"},
            {"description": "text"},
        ],
    )
    def test_any_change_of_content_changes_the_digest(self, changes: dict[str, Any]) -> None:
        """A correction without a new version is still told from a resend."""
        assert event(**changes).digest != event().digest

    def test_the_digest_does_not_depend_on_the_settings(self) -> None:
        """A changed facilities file makes no resend look like a correction."""
        other = parse(FILE.replace('codes = ["100"]', 'codes = ["100", "101"]'))
        message = ProcedureMessage.model_validate(STATED, strict=False)
        said = resolve(message, other, event_id=EVENT_ID, received=RECEIVED)
        assert isinstance(said, ProcedureEvent)
        assert said.digest == event().digest
        assert said.settings != event().settings

    def test_the_digest_is_a_contract(self) -> None:
        """A resend after an upgrade is recognised: this value never changes."""
        assert event().digest == "07ff3f971b8df3dc04918a5dc36ca114"


class TestDeadLetters:
    """Records that cannot be read."""

    def test_a_dead_letter_names_the_procedure_where_that_can_be_known(self) -> None:
        """So that a standing charge of it can be warned about."""
        known = MessageIdentity(
            sending_application="LAB",
            sending_facility="LUH",
            procedure_id="P1",
            patient=StatedPatient(mrn="0017", assigning_authority="UH"),
        )
        wrong = Unreadable("version", "a whole number", known)
        said = dead_letter(wrong, FACILITIES, event_id=EVENT_ID, received=RECEIVED)
        assert (said.outcome, said.reason) == (Outcome.DEAD_LETTERED, Reason.UNREADABLE)
        assert (said.field, said.detail) == ("version", "a whole number")
        assert (said.source, said.procedure_id, said.patient) == ("lab", "P1", "UH|17")

    def test_a_dead_letter_of_nobody_is_still_decided(self) -> None:
        """Every record gets a decision."""
        wrong = Unreadable("message", "a JSON object")
        said = dead_letter(wrong, FACILITIES, event_id=EVENT_ID, received=RECEIVED)
        assert (said.event_id, said.sequence, said.patient) == (EVENT_ID, 1, None)
