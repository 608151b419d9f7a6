// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tuxarium: the interrupt handler of the board's 16750s, with string instructions where the chip allows them.
 *
 * The kernel's own handler asks the chip after every byte whether there is another one. A 16750 says more at once: "received data
 * available" means that the receive FIFO holds as many bytes as the trigger level, and "transmitter holding register empty" that all of the
 * transmit FIFO is free. Such a piece is moved by one instruction. What is unusual (errors, a break, characters of flow control by software, a
 * receiver that is switched off) is left to the kernel's own handler.
 */
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/serial_8250.h>
#include <linux/serial_core.h>
#include <linux/serial_reg.h>
#include <linux/tty_flip.h>

#include "../tty/serial/8250/8250.h"

#define FIFO_BYTES 64
#define MOST_IN_A_ROW 4096	/* bytes received, then the others have their turn */

#define LSR_UNUSUAL (UART_LSR_FIFOE | UART_LSR_BRK_ERROR_BITS)

static unsigned int trigger_level(const struct uart_8250_port *up)
{
	static const unsigned char levels[] = { 1, 16, 32, 56 };

	return levels[up->fcr >> 6 & 3];
}

/* Reading the status clears its errors: they are kept for the kernel's own handler. */
static unsigned char read_status(struct uart_8250_port *up)
{
	const unsigned char lsr = inb(up->port.iobase + UART_LSR);

	up->lsr_saved_flags |= lsr & UART_LSR_BRK_ERROR_BITS;
	return lsr;
}

/* Takes bytes one by one, as far as they go; at most a FIFO full. */
static unsigned int take_rest(struct uart_8250_port *up, unsigned char *bytes, unsigned char *lsr)
{
	unsigned int count = 0;

	while (count < FIFO_BYTES && (*lsr & (UART_LSR_DR | LSR_UNUSUAL)) == UART_LSR_DR) {
		bytes[count++] = inb(up->port.iobase + UART_RX);
		*lsr = read_status(up);
	}
	return count;
}

/* Moves what has come to the tty, until nothing or something unusual is next. Gives the status that it read last. */
static unsigned char receive(struct uart_8250_port *up, unsigned char iir)
{
	unsigned char bytes[FIFO_BYTES];
	unsigned char lsr = read_status(up);
	unsigned int count, received = 0;

	while ((lsr & (UART_LSR_DR | LSR_UNUSUAL)) == UART_LSR_DR && received < MOST_IN_A_ROW) {
		if ((iir & UART_IIR_ID) == UART_IIR_RDI) {
			count = trigger_level(up);
			insb(up->port.iobase + UART_RX, bytes, count);
		} else {
			count = take_rest(up, bytes, &lsr);
		}
		received += count;
		up->port.icount.rx += count;
		up->port.icount.buf_overrun += count - tty_insert_flip_string(&up->port.state->port, bytes, count);
		/* In this order the status covers all the bytes that the identification counted. */
		iir = inb(up->port.iobase + UART_IIR);
		lsr = read_status(up);
	}
	if (received != 0)
		tty_flip_buffer_push(&up->port.state->port);
	return lsr;
}

static void transmit(struct uart_8250_port *up)
{
	struct uart_port *port = &up->port;
	struct circ_buf *xmit = &port->state->xmit;
	unsigned int count = CIRC_CNT_TO_END(xmit->head, xmit->tail, UART_XMIT_SIZE);

	if (port->x_char == 0 && !uart_tx_stopped(port)) {
		count = min_t(unsigned int, count, FIFO_BYTES);
		outsb(port->iobase + UART_TX, xmit->buf + xmit->tail, count);
		xmit->tail = (xmit->tail + count) & (UART_XMIT_SIZE - 1);
		port->icount.tx += count;
		if (uart_circ_chars_pending(xmit) < WAKEUP_CHARS)
			uart_write_wakeup(port);
		if (!uart_circ_empty(xmit))
			return;
	}
	serial8250_tx_chars(up); /* stops the transmitter, among others */
}

static bool is_usual(const struct uart_8250_port *up)
{
	return up->lsr_saved_flags == 0 && (up->ier & UART_IER_RDI) && (up->port.read_status_mask & UART_LSR_DR) &&
	       !(up->port.ignore_status_mask & UART_LSR_DR);
}

static int handle_irq(struct uart_port *port)
{
	struct uart_8250_port *up = up_to_u8250p(port);
	const unsigned char iir = inb(port->iobase + UART_IIR);
	unsigned char lsr;
	unsigned long flags;

	if (iir & UART_IIR_NO_INT)
		return 0;
	if (!is_usual(up))
		return serial8250_handle_irq(port, iir);

	spin_lock_irqsave(&port->lock, flags);
	lsr = receive(up, iir);
	if (lsr & LSR_UNUSUAL) {
		spin_unlock_irqrestore(&port->lock, flags);
		return serial8250_handle_irq(port, iir);
	}
	serial8250_modem_status(up);
	if ((lsr & UART_LSR_THRE) && (up->ier & UART_IER_THRI))
		transmit(up);
	spin_unlock_irqrestore(&port->lock, flags);
	return 1;
}

static int __init board_uarts(void)
{
	int line;

	for (line = 0; line < CONFIG_SERIAL_8250_RUNTIME_UARTS; line++) {
		struct uart_port *port = &serial8250_get_port(line)->port;

		if (port->type == PORT_16750 && port->iotype == UPIO_PORT)
			port->handle_irq = handle_irq;
	}
	return 0;
}
late_initcall(board_uarts);
