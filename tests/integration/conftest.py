"""Fixtures of what has gone through, or what is wrong with it."""

import pytest

from streams.settings import Settings
from streams.topics import Topics
from tests.integration.pipeline import Pipeline


@pytest.fixture
async def pipeline(settings: Settings, topics: Topics) -> Pipeline:
    """The example day played and decided; nothing of it is written yet."""
    made = Pipeline(settings, topics)
    await made.play()
    return made
