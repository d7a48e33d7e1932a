"""The contract of a compute provider as far as it is about the life of a guest, in memory."""

from tests.roles.test_provider_deaths import *  # noqa: F403
from tests.roles.test_provider_life import *  # noqa: F403

pytestmark: list[object] = []
"""No real guest is booted."""
