"""The agent inside an instance: standard library only, one process.

It runs the engine's probe and reports what the probe says to the conductor over HTTPS. It takes
no orders: the only thing that comes back is a status code.

Modules that would cost memory for little (logging, dataclasses, urllib) are not imported: a
guest may be small, and the memory belongs to the database.
"""

VERSION = "1.0"
"""Version of this agent, sent with every report."""
