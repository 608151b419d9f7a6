// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Tuxarium board: tells the kernel about what cannot be found without searching.
 *
 * An IDE channel with its command block at 0x1f0, its control block at 0x3f6 and interrupt 14, as a platform device for pata_platform;
 * power-off: the board is off when the processor halts with interrupts disabled; and, with board=tuxarium in the command line, the rate of
 * the time-stamp counter, measured against the millisecond counter at port 0x3cc: without a rate there is no tickless idle, and the
 * usual comparison with the timer chip does not work in an emulator that may be delayed at any instruction. The processor then also
 * counts as a virtual one, which it is: nobody misses the performance counters that a P6 has.
 */
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/irqflags.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/string.h>
#include <linux/ata_platform.h>
#include <asm/cpufeature.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

static const struct resource ide_resources[] = {
	DEFINE_RES_IO(0x1f0, 8),
	DEFINE_RES_IO(0x3f6, 1),
	DEFINE_RES_IRQ(14),
};

static const struct pata_platform_info ide_info = { .ioport_shift = 0 };

#define PORT_UPTIME 0x3cc

static unsigned long tsc_khz_measured;

/* The rate in kHz that boards have and a measurement is close to; 0 without one. */
static unsigned long usual_rate(unsigned long khz)
{
	static const unsigned long usual[] = { 1000000, 100000 };
	int i;

	for (i = 0; i < ARRAY_SIZE(usual); i++) {
		if (khz > usual[i] / 100 * 98 && khz < usual[i] / 100 * 102)
			return usual[i];
	}
	return 0;
}

static u64 tsc_at_next_millisecond(u32 *now)
{
	const u32 before = inl(PORT_UPTIME);

	do {
		*now = inl(PORT_UPTIME);
	} while (*now == before);
	return rdtsc();
}

static unsigned long khz_between(u64 first, u64 last, u32 milliseconds)
{
	return (unsigned long)div_u64(last - first, milliseconds);
}

/* A host that was busy elsewhere spoils a millisecond, but seldom twenty in a row. */
static unsigned long measured_tsc_khz(void)
{
	u32 start, before, now;
	const u64 first = tsc_at_next_millisecond(&start);
	u64 last = first, next;
	int tries;

	now = start;
	for (tries = 0; tries < 20; tries++) {
		unsigned long rate;

		before = now;
		next = tsc_at_next_millisecond(&now);
		rate = usual_rate(khz_between(last, next, now - before));
		if (rate)
			return rate;
		last = next;
	}
	return khz_between(first, last, now - start);
}

static unsigned long board_tsc_khz(void)
{
	if (!tsc_khz_measured)
		tsc_khz_measured = measured_tsc_khz();
	return tsc_khz_measured;
}

static int __init board_parameter(char *name)
{
	if (!name || strcmp(name, "tuxarium"))
		return 0;
	x86_platform.calibrate_cpu = board_tsc_khz;
	x86_platform.calibrate_tsc = board_tsc_khz;
	setup_force_cpu_cap(X86_FEATURE_TSC_KNOWN_FREQ);
	setup_force_cpu_cap(X86_FEATURE_HYPERVISOR);
	return 0;
}
early_param("board", board_parameter);

static void board_power_off(void)
{
	local_irq_disable();
	for (;;)
		halt();
}

static int __init board_init(void)
{
	struct platform_device *ide;

	pm_power_off = board_power_off;
	ide = platform_device_register_resndata(NULL, "pata_platform", PLATFORM_DEVID_NONE, ide_resources,
						ARRAY_SIZE(ide_resources), &ide_info, sizeof(ide_info));
	return PTR_ERR_OR_ZERO(ide);
}
device_initcall(board_init);
