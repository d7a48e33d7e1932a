"""Lets the running server take new certificates: `rotate.py PORT`."""

import subprocess
import sys

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import LIBRARY, Connection

subprocess.run(["runuser", "-u", "mongodb", f"{LIBRARY}/join"], check=True)
message = {"rotateCertificates": 1, "message": "new certificate of the instance"}
Connection(int(sys.argv[1]), "root").command("admin", message)
