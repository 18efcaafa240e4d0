#!/bin/sh
# Make .venv and install "$1" into it, editable, at the pinned versions. PYTHON names the interpreter.
set -eu

fail() {
    echo "unroll: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

make_environment() {
    "$PYTHON" -m venv .venv && return
    command -v apt-get > /dev/null || return
    echo "unroll: installing the venv module, which this system packages apart from Python"
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    as_root apt-get update -qq
    as_root apt-get install -y -qq "python$version-venv"
    "$PYTHON" -m venv --clear .venv
}

: "${PYTHON:=python3}"
command -v "$PYTHON" > /dev/null || fail "there is no $PYTHON here; install Python 3.11 or newer, or name it: make PYTHON=…"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" --version 2>&1). Name another one: make PYTHON=python3.12"
[ -x .venv/bin/pip ] || make_environment || fail "could not create .venv with $PYTHON"

echo "unroll: installing into .venv (a few minutes the first time)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable "$1"
