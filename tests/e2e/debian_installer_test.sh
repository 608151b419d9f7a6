# The kernel and the initrd of Debian 12's installer, as they come in the package debian-installer-12-netboot-i386, show the installer's first
# screen on the serial console. With TUXARIUM_PAE_KERNEL=FILE (vmlinuz of a linux-image-*-686-pae) that kernel does it too.
. "$(dirname "$0")/common.sh"
images=/usr/lib/debian-installer/images/12/i386/text/debian-installer/i386
[[ -r $images/linux && -r $images/initrd.gz ]] || { echo "skipped: debian-installer-12-netboot-i386 is not installed"; exit 0; }

# installs KERNEL SIGN: the kernel says SIGN on its way to the screen.
installs() {
  guest 0 --boot "linux:$1" --initrd "$images/initrd.gz" --ram 512M --append "console=ttyS0 TERM=linux" --clock cycles:400M \
    --expect "Select a language"
  shows "$2"
  shows_not "Call Trace"
  shows_not "unchecked MSR access error"
}

installs "$images/linux" "Run /init as init process"
if [[ -n ${TUXARIUM_PAE_KERNEL:-} ]]; then installs "$TUXARIUM_PAE_KERNEL" "-686-pae "; fi
