"""Nobody sees or does what they may not: every page asks who it is, and no way leads around that."""

import asyncio
import json
import logging
import re
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from streams.access import AccessLogError, Did
from streams.views import failures
from streams.views.login import COOKIE, SESSION_WITHIN
from streams.views.rights import RIGHTS, Right, Role
from streams.views.secret import Secret
from streams.views.site import HEADERS, OPEN
from tests.kafka import ROOT
from tests.opened import SECRET, TOKENS, bearer
from tests.streams.views.browser import LOOKED, Answer, Browser, Pages
from tests.streams.views.conftest import Opens

JSON = {"Accept": "application/json"}
OPEN_ROUTES = {
    *((method, path) for method in ("GET", "HEAD") for path in ("/healthz", "/readyz", "/static/{name}")),
    *((method, "/login") for method in ("GET", "HEAD", "POST")),
    *((method, f"/login/oidc{rest}") for method in ("GET", "HEAD") for rest in ("", "/callback")),
    ("POST", "/workers/{question}"),
}
FAUSTS = (
    *("/table/", "/table/patient_days/", "/table/patient_days/x/", "/router/", "/router/patient_days/x/"),
    *("/graph/", "/stats/", "/assignment/", "/performance/", "/production_index/", "/static/../site.py"),
    *("/static/..%2fsite.py", "/static/%2e%2e", f"/static/{'x' * 300}", "/static/", "//", "/%2e%2e/table/"),
)
AMISS = 401, 403
SECURITY = ROOT / "docs" / "security.md"


def path_of(route: str) -> str:
    return re.sub(r"{\w+}", "x", route)


def live(route: str) -> bool:
    """Whether it answers for as long as somebody listens."""
    return route.endswith("/live")


async def ask(pages: Pages, method: str, route: str, **how: Any) -> Answer:
    return await pages.ask(path_of(route), method, whole=method != "GET" or not live(route), **how)


# Who may see what


async def test_every_route_is_open_on_purpose_or_asks_for_a_right(pages: Pages) -> None:
    """What the web server routes is what rights.py and OPEN know of, and nothing else."""
    server: Any = pages.site.app.web
    routed = {(route.method, route.resource.canonical) for route in server.web_app.router.routes()}
    heads = {("HEAD", path) for method, path in pages.site.rights() if method == "GET"}
    assert routed == OPEN_ROUTES | heads | {*pages.site.rights()}
    assert {path for _, path in OPEN_ROUTES} == OPEN


async def test_without_a_login_no_page_is_shown(pages: Pages) -> None:
    """A browser is led to the login, which leads back; a program is told 401."""
    for method, route in pages.site.rights():
        answer = await ask(pages, method, route)
        if method == "GET":
            assert (answer.status, answer.to) == (303, f"/login?next={path_of(route)}"), route
            assert "Perdiem" not in answer.text
        else:
            assert answer.status == 401, route
        assert (await ask(pages, method, route, headers=JSON)).status == 401, route
        wrong = await ask(pages, method, route, headers={"Authorization": "Bearer no"})
        assert wrong.status in (303, 401, 429)


@pytest.mark.parametrize("role", Role)
async def test_each_role_sees_what_its_rights_say(pages: Pages, role: Role) -> None:
    """Of every page and every form, by token and by session alike; HEAD tells no more than GET."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[role])
    sessions = {"Cookie": f"{COOKIE}={browser.cookie}"}
    form = {"csrf": browser.csrf}
    for (method, route), right in pages.site.rights().items():
        refused = right not in RIGHTS[role]
        for verb in ("GET", "HEAD") if method == "GET" else (method,):
            for headers in (bearer(role), sessions):
                data = None if method == "GET" else form
                answer = await ask(pages, verb, route, headers=headers, data=data)
                assert (answer.status in AMISS) == refused, (verb, route, right)
                assert answer.status != 500, (verb, route)


def test_the_roles_are_what_is_promised() -> None:
    """A viewer gives no command and sees patients masked; an operator sees no patient at all."""
    assert RIGHTS[Role.VIEWER] == {Right.WATCH, Right.PATIENTS}
    assert RIGHTS[Role.OPERATOR] == {Right.WATCH, Right.DEAD_LETTERS}
    assert RIGHTS[Role.ANALYST] == {*Right}


def test_the_table_of_roles_says_what_holds() -> None:
    """docs/security.md, for whoever gives out the roles."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\w+) \| (\w+) \| (\w+) \|$", SECURITY.read_text(), re.MULTILINE)
    assert {Right(right): said for right, *said in rows} == {
        right: [
            "yes" if right in RIGHTS[role] else "no" for role in (Role.VIEWER, Role.ANALYST, Role.OPERATOR)
        ]
        for right in Right
    }


@pytest.mark.parametrize("path", FAUSTS)
async def test_what_is_not_added_is_not_there(pages: Pages, path: str) -> None:
    """Faust's own pages, and what lies beside the files of the pages."""
    assert (await pages.ask(path, headers=bearer())).status == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
async def test_a_method_that_no_page_has_does_nothing(pages: Pages, method: str) -> None:
    """Whoever asks with it."""
    for path in ("/", "/login", "/logout", "/healthz", "/workers/running"):
        assert (await pages.ask(path, method, headers=bearer())).status in (400, 404, 405)


async def test_a_form_is_not_sent_by_a_get_and_a_page_not_by_a_post(pages: Pages) -> None:
    """405, and the answer says what would be right."""
    for method, path in (("GET", "/logout"), ("HEAD", "/logout"), ("POST", "/")):
        answer = await pages.ask(path, method, headers=bearer())
        assert answer.status == 405
        assert answer.headers["Allow"] in ("POST", "GET,HEAD")


async def test_every_answer_has_the_security_headers(pages: Pages) -> None:
    """Pages, errors, files, redirects and what never ends; none says what software of which version it is."""
    asked = [
        *(("/", bearer()), ("/", {}), ("/nowhere", {}), ("/logout", bearer()), ("/static/perdiem.css", {})),
        *(("/healthz", {}), ("/login", {}), ("/live", bearer()), ("/", bearer() | JSON)),
    ]
    for path, headers in asked:
        answer = await pages.ask(path, headers=headers, whole=path != "/live")
        shown = {name: answer.headers.get(name) for name in HEADERS}
        if path.startswith("/static/"):
            shown["Cache-Control"] = HEADERS["Cache-Control"]  # there is nothing secret in a file
        assert shown == HEADERS, path
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_a_wrong_host_changes_nothing(pages: Pages) -> None:
    """No answer repeats it, so nobody is led to it."""
    for path in ("/", "/login", "/nowhere"):
        answer = await pages.ask(path, headers={"Host": "elsewhere.example"})
        assert "elsewhere" not in answer.text + answer.to


# Sessions


async def test_the_cookie_is_for_this_host_over_https_and_no_script(pages: Pages) -> None:
    """Nor for the forms of other sites; it holds for a working day."""
    answer = await pages.ask("/login")
    [cookie] = answer.headers.getall("Set-Cookie")
    assert cookie.startswith(f"{COOKIE}=")
    attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/", f"max-age={SESSION_WITHIN}"} <= attributes
    assert COOKIE.startswith("__Host-")
    assert not any(each.startswith("domain") for each in attributes)


async def test_a_login_begins_a_session_of_its_own(pages: Pages) -> None:
    """What somebody else put into the browser before gives them nothing."""
    browser = Browser(pages)
    await browser.get("/login")
    before = browser.cookie, browser.csrf
    answer = await browser.log_in(TOKENS[Role.ANALYST], next="/looked-at/x?a=b")
    assert (answer.status, answer.to) == (303, "/looked-at/x?a=b")
    assert (await browser.get("/")).status == 200
    assert browser.cookie != before[0]
    assert browser.csrf != before[1]


async def test_logging_out_takes_the_session_out_of_the_browser(pages: Pages) -> None:
    """Also by the rules that browsers have for cookies of this name."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.VIEWER])
    assert (await browser.post("/logout")).to == "/login"
    assert (await browser.get("/")).status == 303


@pytest.mark.parametrize("sent", [{"csrf": ""}, {"csrf": "x"}, {"csrf": "é"}])
async def test_a_form_that_is_not_of_the_session_is_refused(pages: Pages, sent: dict[str, str]) -> None:
    """Another site could have sent it: 403, for each form there is."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    for method, route in pages.site.rights():
        if method == "POST":
            assert (await browser.post(path_of(route), **sent)).status == 403, route
    assert (await browser.post("/login", token=TOKENS[Role.ANALYST], **sent)).status == 403


async def test_a_form_of_another_site_is_refused(pages: Pages) -> None:
    """Even if it had found out the session's secret."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    for said in ("cross-site", "same-site", "none"):
        assert (await browser.post("/logout", sent_from=said)).status == 403
    assert (await browser.post("/logout", sent_from="same-origin")).status == 303


async def test_a_browser_that_keeps_no_cookie_is_told_why(pages: Pages) -> None:
    """Over http from another machine it cannot: nobody should search for that."""
    answer = await pages.ask("/login", "POST", data={"token": TOKENS[Role.VIEWER], "csrf": "x"})
    assert answer.status == 403
    assert "it keeps one only from https" in answer.text


async def test_a_token_taken_out_of_the_file_ends_its_sessions_at_once(pages: Pages) -> None:
    """And its use as a bearer token; other tokens go on."""
    browser, other = Browser(pages), Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    await other.log_in(TOKENS[Role.VIEWER])
    entries = tokens_file(pages).read_text().split("[[token]]")
    tokens_file(pages).write_text("[[token]]".join(each for each in entries if '"analyst"' not in each))
    assert (await browser.get("/")).status == 303
    assert (await pages.ask("/", headers=bearer(Role.ANALYST) | JSON)).status == 401
    assert (await other.get("/")).status == 200


async def test_a_changed_role_holds_for_sessions_that_run(pages: Pages) -> None:
    """Whoever was an analyst is not for the rest of the day."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    text = tokens_file(pages).read_text()
    tokens_file(pages).write_text(text.replace('role = "analyst"', 'role = "operator"'))
    assert (await browser.get("/looked-at/x")).status == 403


async def test_a_session_ends_after_a_working_day(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was done in it."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_WITHIN + 1)
    assert (await browser.get("/")).status == 303


async def test_a_cookie_that_was_not_made_here_is_nothing(pages: Pages, opens: Opens) -> None:
    """Made up, changed, or of another secret: so a new secret ends every session."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    theirs = browser.cookie or ""
    for cookie in ("x", "", theirs[:-8] + "AAAAAAA=", '{"session":{}}'):
        browser.cookie = cookie
        assert (await browser.get("/")).status == 303
    async with opens(web_secret=SecretStr("another secret of another installation")) as others:
        stranger = Browser(others)
        stranger.cookie = theirs
        assert (await stranger.get("/")).status == 303


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example"),
        *("/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example"),
        *("/%2f/../\t/evil.example", "/\x00/evil.example", "javascript:alert(1)", "", "/é", "/a\\b"),
    ],
)
async def test_a_login_leads_nowhere_else(pages: Pages, target: str) -> None:
    """However the address is written: browsers read over what does not print."""
    browser = Browser(pages)
    answer = await browser.log_in(TOKENS[Role.VIEWER], next=target)
    assert (answer.status, answer.to) == (303, "/")


async def test_an_address_that_is_one_of_ours_is_led_to_as_it_is(pages: Pages) -> None:
    """Written with percents it stays a path of ours."""
    for target in ("/%2F%2Fevil.example", "/looked-at/x?a=1&b=%26", "/.//evil.example"):
        answer = await Browser(pages).log_in(TOKENS[Role.VIEWER], next=target)
        assert answer.to == target


async def test_whoever_is_sent_to_the_login_comes_back_to_the_whole_address(pages: Pages) -> None:
    """With what they filtered by."""
    answer = await pages.ask("/looked-at/x?a=1&b=%26")
    browser = Browser(pages)
    shown = (await browser.get(answer.to)).text
    assert 'name="next" value="/looked-at/x?a=1&amp;b=%26"' in shown


async def test_a_token_that_was_mistyped_costs_no_way_back(pages: Pages) -> None:
    """The form that comes again leads where the first one would have."""
    browser = Browser(pages)
    answer = await browser.log_in("mistyped", next="/looked-at/x")
    assert 'name="next" value="/looked-at/x"' in answer.text


# One-time links


async def test_a_one_time_link_logs_in_once(pages: Pages, noted: list[Any]) -> None:
    """As whom it names; the next who tries it is told why not."""
    link = Secret(SECRET).link("anna", Role.ANALYST)
    first, second = Browser(pages), Browser(pages)
    # A program that looks where it leads does not use it up.
    assert (await pages.ask(f"/login?token={link}", "HEAD")).status == 200
    assert (await first.get(f"/login?token={link}")).to == "/"
    assert "anna" in (await first.get("/")).text
    answer = await second.get(f"/login?token={link}")
    assert answer.status == 401
    assert "A link holds once" in answer.text
    assert (await second.get("/")).status == 303
    assert noted == [("anna", "analyst", Did.LOGIN, "/login")]


async def test_two_who_try_a_link_at_once_are_not_both_let_in(pages: Pages) -> None:
    """One of them, at most."""
    link = Secret(SECRET).link("anna", Role.ANALYST)
    answers = await asyncio.gather(*(pages.ask(f"/login?token={link}") for _ in range(5)))
    assert [answer.status for answer in answers].count(303) == 1


async def test_a_link_of_another_installation_or_too_late_lets_nobody_in(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes are enough to click."""
    ours = Secret(SECRET).link("anna", Role.ANALYST)
    theirs = Secret("another secret of another installation").link("anna", Role.ANALYST)
    assert (await pages.ask(f"/login?token={theirs}")).status == 401
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 601)
    assert (await pages.ask(f"/login?token={ours}")).status == 401


async def test_a_token_in_an_address_lets_nobody_in(pages: Pages) -> None:
    """It would stand in histories and in the logs of proxies; a link there is used up already."""
    assert (await pages.ask(f"/login?token={TOKENS[Role.ANALYST]}")).status == 401


# Failed logins


async def test_failed_logins_are_limited(pages: Pages) -> None:
    """Ten in five minutes, by whichever way; then also the right token waits, and is told how long."""
    browser = Browser(pages)
    for _ in range(4):
        assert (await browser.log_in("wrong")).status == 401
        assert (await pages.ask("/", headers={"Authorization": "Bearer wrong"} | JSON)).status == 401
    for _ in range(2):
        assert (await pages.ask("/login?token=wrong")).status == 401
    for answer in (
        await browser.log_in(TOKENS[Role.ANALYST]),
        await pages.ask("/", headers=bearer() | JSON),
        await pages.ask(f"/login?token={Secret(SECRET).link('anna', 'analyst')}"),
    ):
        assert answer.status == 429
        assert 290 <= int(answer.headers["Retry-After"]) <= 300


async def test_a_session_goes_on_whatever_its_neighbours_do(pages: Pages) -> None:
    """Who is logged in is not asked again."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    for _ in range(failures.ALLOWED):
        await pages.ask("/", headers={"Authorization": "Bearer wrong"})
    assert (await browser.get("/")).status == 200


async def test_after_the_wait_a_right_token_is_let_in(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes after the first of the failures."""
    for _ in range(failures.ALLOWED):
        await pages.ask("/", headers={"Authorization": "Bearer wrong"})
    assert (await pages.ask("/", headers=bearer())).status == 429
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + failures.WITHIN + 1)
    assert (await pages.ask("/", headers=bearer())).status == 200


async def test_behind_a_proxy_each_address_fails_for_itself(opens: Opens) -> None:
    """The proxy's word is taken; what a client writes before it is not, and IPv6 counts by its network."""
    wrong = {"Authorization": "Bearer wrong"}
    async with opens(web_proxies="10.0.0.0/8, 127.0.0.1") as pages:
        for number in range(failures.ALLOWED):
            forged = {"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.7, 10.1.2.3"}
            await pages.ask("/", headers=wrong | forged)
            await pages.ask("/", headers=wrong | {"X-Forwarded-For": f"2001:db8::{number}"})
        for hops, status in (
            ("198.51.100.7", 429),
            ("192.0.2.1, 198.51.100.7", 429),
            ("198.51.100.7, 192.0.2.1", 200),
            ("198.51.100.8", 200),
            ("2001:db8::ffff", 429),
            ("2001:db8:0:1::1", 200),
        ):
            answer = await pages.ask("/", headers=bearer() | {"X-Forwarded-For": hops})
            assert answer.status == status, hops


async def test_nobody_but_a_proxy_says_from_where_a_request_came(pages: Pages) -> None:
    """Else whoever guesses would have a new address for each guess."""
    for number in range(failures.ALLOWED):
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": f"192.0.2.{number}"}
        assert (await pages.ask("/", headers=headers)).status == 303
    assert (await pages.ask("/", headers=bearer() | {"X-Forwarded-For": "192.0.2.99"})).status == 429


def test_failures_of_many_addresses_take_bounded_memory() -> None:
    """Whoever has many pushes out the oldest."""
    failed = failures.Failures()
    for number in range(20_000):
        failed.add(str(number))
    assert len(failed._failed) == 10_000


# What is sent


async def test_a_body_that_is_too_large_is_refused(pages: Pages) -> None:
    """1 MiB is far more than any form has: 413, and nothing of it is kept."""
    browser = Browser(pages)
    await browser.get("/login")
    assert (await browser.post("/login", token="x" * 2**21)).status == 413
    assert (await pages.ask("/workers/running", "POST", data=b"x" * 2**21)).status == 413


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a--"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"a=b"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=\xff"),
        ("application/json", b'{"token": "x"}'),
    ],
)
async def test_what_is_no_form_is_refused(pages: Pages, kind: str, body: bytes) -> None:
    """With a 4xx: it is no error of ours, and not logged as one."""
    for path, headers in (("/login", {}), ("/looked-at/x", bearer())):
        answer = await pages.ask(path, "POST", data=body, headers=headers | {"Content-Type": kind})
        assert answer.status in (400, 403) or (kind == "application/json" and path != "/login")


# What is noted


async def test_every_login_look_and_command_is_noted_before_it_happens(
    pages: Pages, noted: list[Any]
) -> None:
    """With user, role, the page's pattern and the opaque id; a masked look is none."""
    browser = Browser(pages)
    await browser.log_in(TOKENS[Role.ANALYST])
    await browser.get("/looked-at/opaque")
    await browser.post("/looked-at/opaque")
    await pages.ask("/looked-at/opaque", headers=bearer(Role.VIEWER))
    assert noted == [
        ("analyst", "analyst", Did.LOGIN, "/login"),
        ("analyst", "analyst", Did.LOOK, LOOKED, "opaque"),
        ("analyst", "analyst", Did.COMMAND, LOOKED, "opaque"),
    ]


async def test_what_cannot_be_noted_is_not_shown_and_not_done(pages: Pages, noted: list[Any]) -> None:
    """503, in words; a login that is not noted leaves no session."""
    analyst, nobody = Browser(pages), Browser(pages)
    await analyst.log_in(TOKENS[Role.ANALYST])
    noted.append(AccessLogError("the access cannot be noted: KafkaTimeoutError"))
    for answer in (
        await analyst.get("/looked-at/x"),
        await analyst.post("/looked-at/x"),
        await nobody.log_in(TOKENS[Role.ANALYST]),
        await nobody.get(f"/login?token={Secret(SECRET).link('anna', 'analyst')}"),
    ):
        assert answer.status == 503
        assert "cannot be noted" in answer.text
    assert (await nobody.get("/")).status == 303
    assert (await analyst.get("/")).status == 200


# Closed, and what it says of itself


async def test_without_a_secret_the_pages_are_closed_and_the_worker_says_so(
    opens: Opens, caplog: pytest.LogCaptureFixture
) -> None:
    """503 with the setting's name for everybody; only health is told."""
    async with opens(web_secret=None, web_tokens=None) as pages:
        for method, route in {*pages.site.rights(), *OPEN_ROUTES}:
            if route in ("/healthz", "/readyz", "/static/{name}") or route.startswith("/login/oidc"):
                continue
            answer = await ask(pages, method, route, headers=bearer())
            assert answer.status == (401 if route.startswith("/workers/") else 503), route
        assert "PERDIEM_WEB_SECRET is not set" in (await pages.ask("/")).text
        assert (await pages.ask("/healthz")).status == 200
    [line] = [record for record in caplog.records if "closed" in record.getMessage()]
    assert line.levelno == logging.WARNING
    assert "perdiem web secret" in line.getMessage()


async def test_a_worker_that_nobody_can_log_in_to_says_so(
    opens: Opens, caplog: pytest.LogCaptureFixture
) -> None:
    """A secret alone opens nothing but one-time links."""
    async with opens(web_tokens=None) as pages:
        assert (await pages.ask("/", headers=bearer() | JSON)).status == 401
    assert "Nobody can log in to the pages" in caplog.text


async def test_an_error_of_ours_says_nothing_of_what_was_asked(
    pages: Pages, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 without details for whoever asked; the log names its kind and place, no address and no value."""

    async def fail(*_: Any) -> None:
        raise LookupError("LAKE|4711")

    monkeypatch.setattr(type(pages.site.accesses), "write", fail)
    answer = await pages.ask("/looked-at/opaque-id?q=4711", headers=bearer())
    assert answer.status == 500
    assert "4711" not in answer.text + caplog.text
    assert "opaque-id" not in caplog.text
    assert "A page failed: LookupError" in caplog.text


async def test_a_program_hears_of_a_refusal_in_json(pages: Pages) -> None:
    """Under the same path, with the status and a sentence."""
    answer = await pages.ask("/looked-at/x", headers=bearer(Role.OPERATOR) | JSON)
    assert json.loads(answer.text) == {"status": 403, "error": "The right to patients is needed here"}


# Workers


async def test_a_question_that_none_of_our_workers_asked_is_refused(pages: Pages) -> None:
    """Without the secret, with another one, of a minute ago, changed, or made for another question."""
    ours, theirs = Secret(SECRET), Secret("another secret of another installation")
    good = ours.seal(b"question running", b"x")
    stale = ours._peers.encrypt_at_time(ours._peers.decrypt(good), int(time.time()) - 61)
    for body, headers in product(
        (b"", b"x", theirs.seal(b"question running", b"x"), ours.seal(b"question other", b"x"), stale),
        ({}, bearer()),
    ):
        assert (await pages.ask("/workers/running", "POST", data=body, headers=headers)).status == 401


async def test_a_question_of_another_version_is_told_apart(
    pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    """400: it is one of ours that asks, but what it asks is not known here."""
    ours = Secret(SECRET)
    for name, said in ((b"new-one", b"\x80"), (b"running", b"no question")):
        body = ours.seal(b"question " + name, said)
        assert (await pages.ask(f"/workers/{name.decode()}", "POST", data=body)).status == 400
    assert "A worker of another version asked what is not known here: new-one" in caplog.text


def tokens_file(pages: Pages) -> Path:
    assert pages.settings.web_tokens is not None
    return pages.settings.web_tokens
