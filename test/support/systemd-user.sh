#!/bin/sh
# Runs its arguments beside a real `systemd --user` of their own: fresh mount, pid and cgroup namespaces, an empty /run, HOME from
# the caller. Needs root, systemd and util-linux. Exit code and output are those of the command.
#   test/support/systemd-user.sh node exercise.ts
set -eu

if [ "${1:-}" != --inside ]; then
  exec unshare --mount --propagation private --pid --fork --kill-child --cgroup --mount-proc "$0" --inside "$@"
fi
shift

mount -t tmpfs -o mode=755 tmpfs /run
# sd_booted(3) looks for the first of these.
mkdir -p /run/systemd/system /run/user/0
chmod 700 /run/user/0
if mountpoint -q /sys/fs/cgroup; then umount -R /sys/fs/cgroup; fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup/openclaw-test-$(cat /proc/sys/kernel/random/uuid)
mkdir "$group"
echo 0 >"$group/cgroup.procs"
XDG_RUNTIME_DIR=/run/user/0
export XDG_RUNTIME_DIR

/lib/systemd/systemd --user --log-target=console >"$HOME/systemd.log" 2>&1 &
manager=$!
tries=0
until [ -S /run/user/0/systemd/private ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ]; then
    echo "systemd --user did not come up:" >&2
    cat "$HOME/systemd.log" >&2
    exit 1
  fi
  sleep 0.05
done

code=0
"$@" || code=$?
kill -TERM "$manager" 2>/dev/null || true
wait "$manager" 2>/dev/null || true
# This shell sits in the group itself: it moves out, and the empty groups go.
echo 0 >/sys/fs/cgroup/cgroup.procs 2>/dev/null || true
find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
exit "$code"
