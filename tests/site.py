"""Which of the test sites on this host this process uses, so that suites can run side by side."""

import os

FIRST = int(os.environ.get("COFFER_TEST_SITE", "0"))
"""Of a whole run of the tests: 0 to 90. Its parallel workers take the numbers after it."""
NUMBER = f"{FIRST + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:]):02d}"
"""Two digits, for names of links (at most 15 characters) and for networks (`10.83.1NN.0/24`)."""
