"""`python -m dbctl`."""

import sys

from dbctl.main import main

if __name__ == "__main__":
    sys.exit(main())
