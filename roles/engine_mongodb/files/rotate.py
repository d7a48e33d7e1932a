"""Lets the running server take new certificates: `rotate.py PORT`."""

import subprocess
import sys

LIBRARY = "/usr/local/lib/coffer/mongodb"
sys.path.insert(0, LIBRARY)
from coffer_mongodb import Connection

subprocess.run(["runuser", "-u", "mongodb", f"{LIBRARY}/join"], check=True)
message = {"rotateCertificates": 1, "message": "new certificate of the instance"}
Connection(int(sys.argv[1]), "root").command("admin", message)
