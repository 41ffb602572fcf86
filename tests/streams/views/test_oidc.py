"""People log in at the hospital's own identity provider, and nobody else does."""

import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr
from yarl import URL

from streams.access import Did
from streams.child import Child
from streams.local_kafka import free_port
from streams.views import failures
from streams.views.rights import Role
from tests.kafka import ROOT
from tests.streams.views import identity_provider, issuer
from tests.streams.views.browser import Answer, Browser, Pages
from tests.streams.views.conftest import Opens
from tests.streams.views.issuer import Issuer

CALLBACK = "/login/oidc/callback"
PUBLIC = "https://perdiem.example"
"""The pages as browsers have them; a proxy there would hand requests to the worker."""
_CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


# A real one


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The issuer's address."""
    port = free_port()
    command = (sys.executable, "-m", identity_provider.__name__, str(port), f"{PUBLIC}{CALLBACK}")
    child = Child(command, tmp_path_factory.mktemp("provider") / "log", folder=ROOT)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urlopen(f"{url}/.well-known/openid-configuration", timeout=5):
                return True
        except OSError:
            return False

    try:
        child.wait_until(answers, 60)
        yield url
    finally:
        child.kill()


@pytest.fixture
async def hospital(opens: Opens, provider: str) -> AsyncIterator[Pages]:
    """The pages of an installation that logs people in at ``provider``."""
    async with opens(
        web_url=PUBLIC,
        oidc_issuer=provider,
        oidc_client_id=identity_provider.CLIENT,
        oidc_client_secret=SecretStr(identity_provider.CLIENT_SECRET),
        oidc_scopes="openid profile groups",
        oidc_roles_claim="groups",
    ) as pages:
        yield pages


async def at_provider(to: str, user: str) -> str:
    """Fill in its forms as ``user``; where it sends the browser in the end, as a path of ours."""
    async with AsyncClient() as client:
        answer = await client.get(to)
        for _ in range(10):
            if answer.is_redirect:
                target = answer.url.join(answer.headers["Location"])
                if str(target).startswith(PUBLIC):
                    return str(target).removeprefix(PUBLIC)
                answer = await client.get(target)
            else:
                field = "password" if answer.url.path == "/auth/password" else "login"
                filled = {"login": user, "password": identity_provider.PASSWORD}[field]
                [csrf] = set(_CSRF.findall(answer.text))
                answer = await client.post(answer.url, data={"csrf_token": csrf, field: filled})
    raise AssertionError(f"still at {answer.url}")


@pytest.mark.parametrize(
    ("user", "role"), [("vera", Role.VIEWER), ("anna", Role.ANALYST), ("otto", Role.OPERATOR)]
)
async def test_a_person_logs_in_with_the_role_that_the_provider_says(
    hospital: Pages, user: str, role: Role, noted: list[Any]
) -> None:
    """By its forms, and comes back to the page that they wanted; the login is noted."""
    browser = Browser(hospital)
    asked = await browser.get("/looked-at/x")
    assert "Sign in with 127.0.0.1" in (await browser.get(asked.to)).text
    begun = await browser.get("/login/oidc?next=/looked-at/x")
    back = await at_provider(begun.to, user)
    answer = await browser.get(back)
    assert (answer.status, answer.to) == (303, "/looked-at/x")
    shown = (await browser.get("/")).text
    assert f'<span>{user} <span class="role">{role}</span></span>' in shown
    assert noted == [(user, role, Did.LOGIN, CALLBACK)]
    # The answer of the provider is good for one login, in the browser that began it.
    assert (await browser.get(back)).status == 401
    assert (await Browser(hospital).get(back)).status == 401


async def test_whoever_has_no_role_is_told_which_would_be_one(hospital: Pages, noted: list[Any]) -> None:
    """They are somebody to the provider, and nobody here."""
    browser = Browser(hospital)
    answer = await browser.get(await at_provider((await browser.get("/login/oidc")).to, "nemo"))
    assert answer.status == 401
    assert "You have no role here: perdiem-viewer, -analyst or -operator expected in groups" in answer.text
    assert (await browser.get("/")).status == 303
    assert noted == []


# One that lies


@pytest.fixture
async def liar() -> AsyncIterator[Issuer]:
    async with Issuer().served() as served:
        yield served


@pytest.fixture
async def lied_to(opens: Opens, liar: Issuer) -> AsyncIterator[Pages]:
    async with opens(**asking(str(liar.url))) as pages:
        yield pages


def asking(url: str) -> dict[str, Any]:
    """Settings of an installation that asks the issuer at ``url``."""
    return {
        "web_url": PUBLIC,
        "oidc_issuer": url,
        "oidc_client_id": issuer.CLIENT,
        "oidc_client_secret": SecretStr(issuer.CLIENT_SECRET),
    }


async def log_in(browser: Browser, liar: Issuer) -> Answer:
    return await browser.get(liar.consent((await browser.get("/login/oidc")).to))


async def test_the_browser_is_sent_with_what_binds_the_answer_to_it(lied_to: Pages) -> None:
    """State, nonce and PKCE, new each time; the way back is the public address."""
    first, second = [URL((await Browser(lied_to).get("/login/oidc")).to).query for _ in range(2)]
    assert first["redirect_uri"] == f"{PUBLIC}{CALLBACK}"
    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 20
        assert first[name] != second[name]


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": [issuer.CLIENT, "another"], "azp": issuer.CLIENT},
        {"roles": "perdiem-analyst"},
        {"roles": ["other", "perdiem-viewer", "perdiem-analyst", 7, {}]},
        {"azp": issuer.CLIENT},
    ],
)
async def test_a_right_answer_logs_in(lied_to: Pages, liar: Issuer, claims: dict[str, Any]) -> None:
    """In the spellings that there are, with clocks that differ a little; of several roles with the most."""
    liar.claims, liar.shifted = claims, {"exp": -5}
    browser = Browser(lied_to)
    assert (await log_in(browser, liar)).status == 303
    assert '<span class="role">analyst</span>' in (await browser.get("/")).text


@pytest.mark.parametrize(
    "lie",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"shifted": {"exp": -3600}},
        {"claims": {"exp": None}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["another"]}},
        {"claims": {"aud": None}},
        {"claims": {"aud": [issuer.CLIENT, "another"], "azp": "another"}},
        {"claims": {"iss": "https://another.example"}},
        {"claims": {"iss": None}},
        {"shifted": {"nbf": 3600}},
        {"key": issuer.OTHER_KEY},
        {"alg": "none"},
        {"alg": "HS256", "key": issuer.CLIENT_SECRET.encode()},
        {"alg": "HS256", "key": issuer.KEY.as_pem(private=False)},
        {"answer": {"access_token": "a", "token_type": "Bearer"}},
        {"answer": {"access_token": "a", "token_type": "Bearer", "id_token": None}},
        {"answer": {"access_token": "a", "token_type": "Bearer", "id_token": "a.b.c"}},
        {"answer": {"error": "invalid_grant"}},
        {"answer": []},
        {"answer": "x"},
        {"claims": {"roles": None}},
        {"claims": {"roles": {"perdiem-analyst": True}}},
        {"claims": {"roles": ["analyst", "perdiem-", "PERDIEM-ANALYST"]}},
        {"claims": {"sub": None, "preferred_username": None}},
        {"claims": {"sub": 7, "preferred_username": ["x"]}},
    ],
    ids=lambda lie: str({name: "another" if name == "key" else value for name, value in lie.items()}),
)
async def test_a_wrong_answer_lets_nobody_in(
    lied_to: Pages, liar: Issuer, lie: dict[str, Any], noted: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """401 in words, a line in the log that says why without what was said, and no session."""
    for name, value in lie.items():
        setattr(liar, name, value)
    browser = Browser(lied_to)
    answer = await log_in(browser, liar)
    assert answer.status == 401
    assert 'role="alert"' in answer.text
    assert (await browser.get("/")).status == 303
    assert noted == []
    [line] = [record for record in caplog.records if record.name == "streams.views.sign_in"]
    assert "A login over the identity provider failed: " in line.getMessage()
    assert "A page failed" not in caplog.text


@pytest.mark.parametrize(
    "query", ["", "?code=c", "?code=c&state=", "?code=c&state=wrong", "?code=c&state=%C3%A9"]
)
async def test_an_answer_to_a_login_that_was_not_begun_here_is_refused(
    lied_to: Pages, liar: Issuer, query: str
) -> None:
    """Somebody else's, sent to this browser: also where one was begun."""
    for begun in (False, True):
        browser = Browser(lied_to)
        if begun:
            liar.consent((await browser.get("/login/oidc")).to)
        answer = await browser.get(f"{CALLBACK}{query}")
        assert answer.status == 401
        assert "This login was not begun here: begin again." in answer.text


async def test_a_person_who_gave_up_is_told_so(lied_to: Pages) -> None:
    """The provider says access_denied; what it says beside is not repeated."""
    browser = Browser(lied_to)
    state = URL((await browser.get("/login/oidc")).to).query["state"]
    answer = await browser.get(f"{CALLBACK}?error=access_denied&error_description=gossip&state={state}")
    assert answer.status == 401
    assert "The identity provider did not let you in." in answer.text
    assert "gossip" not in answer.text


@pytest.mark.parametrize(
    "said", [{"issuer": "https://another.example"}, {"token_endpoint": None}, {"jwks_uri": 7}], ids=str
)
async def test_an_issuer_that_is_not_what_was_set_is_not_asked(
    lied_to: Pages, liar: Issuer, said: dict[str, Any]
) -> None:
    """502 in words, and the form for a token is there."""
    liar.discovered = said
    answer = await lied_to.ask("/login/oidc")
    assert answer.status == 502
    assert "The identity provider" in answer.text
    assert 'name="token"' in answer.text


async def test_while_the_issuer_is_down_the_login_says_so(opens: Opens) -> None:
    """And tokens still open the pages."""
    async with opens(**asking(f"http://127.0.0.1:{free_port()}")) as pages:
        answer = await pages.ask("/login/oidc")
        assert answer.status == 502
        assert "The identity provider does not answer" in answer.text
        assert 'name="token"' in answer.text


async def test_failed_logins_over_the_provider_are_limited(lied_to: Pages) -> None:
    """Each could have a worker ask the provider: ten, as with tokens."""
    for _ in range(failures.ALLOWED):
        assert (await lied_to.ask(f"{CALLBACK}?code=c&state=s")).status == 401
    assert (await lied_to.ask(f"{CALLBACK}?code=c&state=s")).status == 429


async def test_without_an_issuer_there_is_no_such_login(pages: Pages) -> None:
    """404, and the login page does not offer it."""
    assert (await pages.ask("/login/oidc")).status == 404
    assert (await pages.ask(CALLBACK)).status == 404
    assert "Sign in with" not in (await pages.ask("/login")).text


async def test_a_login_that_failed_is_begun_anew(lied_to: Pages, liar: Issuer) -> None:
    """What came back once is not tried a second time, whatever the provider says then."""
    browser = Browser(lied_to)
    back = liar.consent((await browser.get("/login/oidc")).to)
    liar.claims = {"aud": "another"}
    assert (await browser.get(back)).status == 401
    liar.claims = {}
    assert "This login was not begun here" in (await browser.get(back)).text
    assert (await log_in(browser, liar)).status == 303


async def test_to_begin_another_login_prolongs_no_session(
    lied_to: Pages, liar: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A working day is counted from the login."""
    browser = Browser(lied_to)
    await log_in(browser, liar)
    now = time.time()
    for hours, status in ((7, 200), (9, 303)):
        monkeypatch.setattr(time, "time", lambda then=now + 3600 * hours: then)
        assert (await browser.get("/")).status == status
        await browser.get("/login/oidc")
