"""`python3 -m guest [CONFIG]`: the agent's process, as its unit starts it."""

import sys

from guest import log
from guest.agent import Agent
from guest.config import DEFAULT_PATH, ConfigError, load


def main(arguments: list[str]) -> int:
    """Run until the process is killed; 2 when the configuration does not fit."""
    try:
        config = load(arguments[0] if arguments else DEFAULT_PATH)
    except ConfigError as error:
        log.error(str(error))
        return 2
    Agent(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
