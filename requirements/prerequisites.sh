#!/bin/sh
# What make needs before it installs anything, told at once: prerequisites.sh PYTHON [users]
# With "users", other people's servers run from here where root is who makes it.
python=$1
stop() {
    printf 'greyhub: %s\n  fix: %s\n' "$1" "$2" >&2
    exit 1
}

command -v "$python" > /dev/null || stop "there is no $python" \
    "install Python 3.11 or newer (Debian, Ubuntu: apt install python3-venv), or name one: make PYTHON=/path/to/python3 …"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$python is $("$python" --version 2>&1), and greyhub needs Python 3.11 or newer" \
        "name a newer one: make PYTHON=/path/to/python3 …"
"$python" -c 'import ensurepip, venv' 2> /dev/null ||
    stop "$python makes no virtual environments: its modules ensurepip and venv are not there" \
        "install them (Debian, Ubuntu: apt install python3-venv)"
[ -w . ] || stop "$PWD cannot be written" "clone it to a place of your own"
free=$(df -Pm . | awk 'NR == 2 { print $4 }')
[ "$free" -ge 1500 ] || stop "$PWD has $free MB free, and 1500 MB are needed" \
    "free some, or clone it to another file system"

if [ "$2" = users ] && [ "$(id -u)" -eq 0 ] && command -v setpriv > /dev/null; then
    closed() {
        stop "run by root, each user gets a uid of its own, and these cannot read $1" \
            "have the clone and Python where every user can read them, such as below /srv, or make it as an ordinary user"
    }
    as_user="setpriv --reuid=65534 --regid=65534 --clear-groups"
    $as_user test -r "$PWD" -a -x "$PWD" || closed "$PWD"
    $as_user "$(command -v "$python")" -c '' 2> /dev/null || closed "$(command -v "$python")"
fi
