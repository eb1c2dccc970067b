#!/bin/sh
# Becomes systemd over a throw-away copy of this machine's root.
#
#     boot.sh WORK PROGRAM UNIT...
#
# Runs as PID 1 of namespaces of its own, with the host's mounts still in sight. WORK/seed is
# laid over the root, PROGRAM stands in /opt/abuse-agent, the UNITs are enabled. What is written
# goes to a tmpfs and is gone with this process.
set -eu
umask 022
work=$1 program=$2
shift 2

mount --make-rprivate /
# The upper layer may not lie inside the lower one; a tmpfs of its own does not.
mount -t tmpfs -o mode=0755 upper "$work/mnt"
mkdir "$work/mnt/upper" "$work/mnt/scratch" "$work/mnt/root"
root=$work/mnt/root
mount -t overlay -o "lowerdir=/,upperdir=$work/mnt/upper,workdir=$work/mnt/scratch" root "$root"

# Nothing of this machine starts in there, and nobody's files can be seen.
rm -rf "$root"/etc/systemd/system/* "$root"/usr/lib/systemd/system/*.target.wants \
    "$root"/usr/lib/systemd/system-generators/* "$root"/etc/systemd/system-generators
: >"$root/etc/fstab"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id" # empty would mean a first boot
for folder in root home run tmp var/tmp var/log/journal mnt media srv; do
    mkdir -p "$root/$folder"
    mount -t tmpfs -o mode=0755,nosuid,nodev hidden "$root/$folder"
done
chmod 1777 "$root/tmp" "$root/var/tmp"

# Settings of the kernel are the host's too, so that they can only be read.
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro,nosuid,nodev,noexec "$root/proc/sys"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755,nosuid dev "$root/dev"
for node in 'null 3' 'zero 5' 'full 7' 'random 8' 'urandom 9'; do
    mknod -m 666 "$root/dev/${node% *}" c 1 "${node#* }"
done
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"

chmod -R u=rwX,go=rX "$work/seed"
cp -r "$work/seed/." "$root/"
mkdir -p "$root/opt/abuse-agent"
mount --bind "$program" "$root/opt/abuse-agent"
mount -o remount,bind,ro "$root/opt/abuse-agent"
[ $# -eq 0 ] || systemctl --quiet --root="$root" enable "$@"

cd "$root"
mkdir run/host
pivot_root . run/host
umount -l /run/host
rmdir /run/host
# `container` keeps it off the clock, the modules and the kernel's settings; so do the
# capabilities that it never gets.
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-sys_boot,-syslog,-audit_control,-mac_admin \
    /lib/systemd/systemd --unit=multi-user.target --log-target=journal
