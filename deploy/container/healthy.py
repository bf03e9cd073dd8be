"""Whether the service of this container lives: 0 when its health answers 200. It runs often, so it imports little."""

import os
import sys
from http.client import HTTPConnection, HTTPException

PAGE = "127.0.0.1:8080"  # of `casebus page` and `casebus up`; a service answers where CASEBUS_HEALTH tells it to


def main() -> int:
    port = (os.environ.get("CASEBUS_HEALTH") or PAGE).rpartition(":")[2]
    asked = HTTPConnection("127.0.0.1", int(port), timeout=4)
    try:
        asked.request("GET", "/healthz")
        answer = asked.getresponse()
        status, said = answer.status, answer.read(500).decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        status, said = 0, f"Port {port} does not answer: {error}"
    finally:
        asked.close()
    sys.stdout.write(f"{said}\n")  # docker inspect shows it
    return 0 if status == 200 else 1


sys.exit(main())
