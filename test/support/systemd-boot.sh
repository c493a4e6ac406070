#!/bin/sh
# Boots systemd as PID 1 of a machine that is a copy of this one: fresh namespaces, a root whose changes are thrown away, devices of
# its own. Runs <folder>/exercise.sh as root there, with <folder> mounted on /out, and powers off. Output is in <folder>/output.
# Needs root, systemd with logind, dbus and util-linux.
#   test/support/systemd-boot.sh <folder>
set -eu

if [ "${2:-}" != --inside ]; then
  group=openclaw-test-$(cat /proc/sys/kernel/random/uuid)
  code=0
  unshare --mount --propagation private --pid --fork --kill-child --cgroup --uts --ipc --mount-proc \
    "$0" "$1" --inside "$group" || code=$?
  # What the machine left of its control groups, wherever this one keeps the second version of them.
  for base in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    if [ -d "$base/$group" ]; then find "$base/$group" -depth -type d -exec rmdir {} \;; fi
  done
  exit "$code"
fi
folder=$1
group=$3
layers=$folder/layers
root=$layers/root

mkdir -p "$layers"
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/changes" "$layers/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$layers/changes,workdir=$layers/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
  # shellcheck disable=SC2086
  set -- $node
  mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
: >"$folder/console"
: >"$root/dev/console"
mount --bind "$folder/console" "$root/dev/console"
# What changes below an overlay is not seen reliably above it, and the checkout is being worked in.
checkout=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd)
mount --bind "$checkout" "$root$checkout"
mount -o remount,bind,ro "$root$checkout"
mkdir -p "$root/out"
mount --bind "$folder" "$root/out"

mkdir -p "$root/run/systemd/system"
cat >"$root/run/systemd/system/exercise.target" <<'X'
[Unit]
Requires=dbus.socket systemd-logind.service exercise.service
AllowIsolate=yes
X
cat >"$root/run/systemd/system/exercise.service" <<'X'
[Unit]
DefaultDependencies=no
After=dbus.socket systemd-logind.service systemd-journald.socket
[Service]
Type=oneshot
Environment=HOME=/root PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin NO_COLOR=1
ExecStart=/bin/sh /out/exercise.sh
StandardOutput=file:/out/output
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
X

# The cgroup namespace begins in a group of our own, and so does what is mounted after it.
cgroups=$root/sys/fs/cgroup
mount -t cgroup2 cgroup2 "$cgroups"
mkdir "$cgroups/$group"
echo 0 >"$cgroups/$group/cgroup.procs"
umount "$cgroups"
exec unshare --cgroup sh -c "mount -t cgroup2 cgroup2 '$cgroups' && exec chroot '$root' env container=openclaw-test /lib/systemd/systemd --unit=exercise.target --log-target=console --show-status=no"
