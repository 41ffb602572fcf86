"""What judges in this folder says as much when it fails as a test does."""

import pytest

pytest.register_assert_rewrite("tests.chaos.faulty", "tests.chaos.scenario")
