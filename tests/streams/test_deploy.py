"""The examples of an installation, as far as they speak of Perdiem itself."""

import re
from pathlib import Path

import pytest

from streams.settings import PREFIX, Settings
from streams.views.site import OPEN
from tests.kafka import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes.yaml"
COMPOSE = ROOT / "docker-compose.yml"


@pytest.mark.parametrize("file", [KUBERNETES, COMPOSE], ids=lambda file: file.name)
def test_an_example_sets_what_can_be_set(file: Path) -> None:
    """Each variable is a setting: a worker refuses any other."""
    said = {name for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", file.read_text()) if not name.endswith("_")}
    assert said
    assert said <= {PREFIX + name.upper() for name in Settings.model_fields}


def test_kubernetes_asks_what_is_open_to_it() -> None:
    """A probe has no token; liveness never waits for a restore, readiness does."""
    probes = dict(re.findall(r"(\w+)Probe:\s+httpGet: {path: (\S+),", KUBERNETES.read_text()))
    assert probes == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert {*probes.values()} <= OPEN


def test_kubernetes_makes_no_variables_of_its_own() -> None:
    """The links that it makes to services would be taken for misspelt settings, and no worker would start."""
    assert "enableServiceLinks: false" in KUBERNETES.read_text()
