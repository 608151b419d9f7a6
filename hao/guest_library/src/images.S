/* The files of hao/image as they are, compressed. TUXARIUM_GUEST_KERNEL and TUXARIUM_GUEST_DISK are their paths. */
    .section .rodata

    .global tuxarium_guest_kernel
    .global tuxarium_guest_kernel_end
    .balign 16
tuxarium_guest_kernel:
    .incbin TUXARIUM_GUEST_KERNEL
tuxarium_guest_kernel_end:
    .byte 0

    .global tuxarium_guest_disk
    .global tuxarium_guest_disk_end
    .balign 16
tuxarium_guest_disk:
    .incbin TUXARIUM_GUEST_DISK
tuxarium_guest_disk_end:
    .byte 0

    .section .note.GNU-stack, "", %progbits
