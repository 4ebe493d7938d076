#!/bin/sh
# install_packages: have what the build (and the tests) need. Quick and silent if it is there.
# usage: install_packages.sh build [test] [kafka]
set -u

build='gcc libc6-dev meson ninja-build pkg-config libsqlite3-dev libyaml-dev libssl-dev librdkafka-dev'
tests='libcmocka-dev bats python3 sqlite3 clang clang-format binutils libclang-rt-dev libjson-c-dev'

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $tests" ;;
    kafka) # Brokers of our own (test/kafka/brokers). Any Java and Maven on the PATH will do.
        command -v java >/dev/null || wanted="$wanted default-jre-headless"
        command -v mvn >/dev/null || wanted="$wanted maven"
        wanted="$wanted openssl" ;;
    *) echo "usage: $0 build [test] [kafka]" >&2; exit 2 ;;
    esac
done

command -v dpkg-query >/dev/null || exit 0 # Not Debian: the build will say what it misses.
missing=
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command="apt-get install -y --no-install-recommends$missing"
echo "payonce needs these Debian packages ($*):$missing"
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "next: as root, $command" >&2; exit 1; }
    run=sudo
else
    run=
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$run apt-get update -qq && $run $command >/dev/null && exit 0
echo "error: the packages could not be installed    next: $command" >&2
exit 1
