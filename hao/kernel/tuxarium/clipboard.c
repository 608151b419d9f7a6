// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/clipboard: text exchanged with the host through the ports 0x3c0-0x3cf.
 *
 *   0x3c0  read: the host's text is copied to the port's buffer, and its length returned; write: the buffer is cut to that length
 *   0x3c4  position of the next read
 *   0x3c8  data at the position, by words or bytes; a write appends
 *   0x3cc  read: milliseconds since power-on; write: the buffer becomes the host's text
 *
 * One opener at a time: the port has one buffer. A file that is read from its start sees one state of the host's text, however many
 * reads it takes. A file that was written, or opened with O_TRUNC, is handed to the host when it is closed.
 * Milliseconds since power-on are also in /sys/class/misc/clipboard/uptime_ms.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define PORT_FIRST	0x3c0
#define PORT_COUNT	16
#define PORT_LENGTH	0x3c0
#define PORT_POSITION	0x3c4
#define PORT_DATA	0x3c8
#define PORT_COMMIT	0x3cc
#define PORT_UPTIME	0x3cc

struct clipboard_file {
	u32 length;		/* bytes in the port's buffer */
	bool sampled;		/* the buffer holds text for this file */
	bool changed;		/* the buffer is to be handed to the host */
	u8 page[PAGE_SIZE - 12];
};

static atomic_t in_use = ATOMIC_INIT(0);

static void cut(struct clipboard_file *c)
{
	outl(0, PORT_LENGTH);
	c->length = 0;
	c->sampled = true;
	c->changed = true;
}

static int clipboard_open(struct inode *inode, struct file *file)
{
	struct clipboard_file *c;

	if (atomic_cmpxchg(&in_use, 0, 1))
		return -EBUSY;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c) {
		atomic_set(&in_use, 0);
		return -ENOMEM;
	}
	if ((file->f_flags & O_TRUNC) && (file->f_mode & FMODE_WRITE))
		cut(c);
	file->private_data = c;
	return 0;
}

static int clipboard_release(struct inode *inode, struct file *file)
{
	struct clipboard_file *c = file->private_data;

	if (c->changed)
		outl(0, PORT_COMMIT);
	kfree(c);
	atomic_set(&in_use, 0);
	return 0;
}

static void get_bytes(u8 *to, size_t count)
{
	size_t words = count / 4;

	insl(PORT_DATA, to, words);
	insb(PORT_DATA, to + words * 4, count % 4);
}

static void put_bytes(const u8 *from, size_t count)
{
	size_t words = count / 4;

	outsl(PORT_DATA, from, words);
	outsb(PORT_DATA, from + words * 4, count % 4);
}

static ssize_t clipboard_read(struct file *file, char __user *to, size_t count, loff_t *at)
{
	struct clipboard_file *c = file->private_data;
	size_t done = 0;

	if (!c->changed && (*at == 0 || !c->sampled)) {
		c->length = inl(PORT_LENGTH);
		c->sampled = true;
	}
	if (*at < 0 || *at >= c->length)
		return 0;
	count = min_t(size_t, count, c->length - (u32)*at);
	outl((u32)*at, PORT_POSITION);
	while (done < count) {
		size_t now = min(count - done, sizeof(c->page));

		get_bytes(c->page, now);
		if (copy_to_user(to + done, c->page, now))
			return done ? done : -EFAULT;
		done += now;
		*at += now;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return done;
}

static ssize_t clipboard_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	struct clipboard_file *c = file->private_data;
	size_t done = 0;

	if (!count)
		return 0;
	if (!c->changed)
		cut(c);
	while (done < count) {
		size_t now = min(count - done, sizeof(c->page));

		if (copy_from_user(c->page, from + done, now))
			return done ? done : -EFAULT;
		put_bytes(c->page, now);
		done += now;
		c->length += now;
		*at += now;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return done;
}

static const struct file_operations clipboard_operations = {
	.owner = THIS_MODULE,
	.open = clipboard_open,
	.release = clipboard_release,
	.read = clipboard_read,
	.write = clipboard_write,
	.llseek = no_seek_end_llseek,
};

static ssize_t uptime_ms_show(struct device *device, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%u\n", inl(PORT_UPTIME));
}
static DEVICE_ATTR_RO(uptime_ms);

static struct attribute *clipboard_attrs[] = { &dev_attr_uptime_ms.attr, NULL };
ATTRIBUTE_GROUPS(clipboard);

static struct miscdevice clipboard_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "clipboard",
	.fops = &clipboard_operations,
	.groups = clipboard_groups,
	.mode = 0666,
};

static int __init clipboard_init(void)
{
	int error;

	if (!request_region(PORT_FIRST, PORT_COUNT, "clipboard"))
		return -EBUSY;
	error = misc_register(&clipboard_device);
	if (error)
		release_region(PORT_FIRST, PORT_COUNT);
	return error;
}
device_initcall(clipboard_init);
