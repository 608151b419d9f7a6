// The compressed images inside the program; images.S puts them there.
#pragma once

extern "C" {
extern const unsigned char tuxarium_guest_kernel[];
extern const unsigned char tuxarium_guest_kernel_end[];
extern const unsigned char tuxarium_guest_disk[];
extern const unsigned char tuxarium_guest_disk_end[];
}
