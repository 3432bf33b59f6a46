// SPDX-License-Identifier: MIT
/*
 * I/O ports and device registers in memory.
 */
#pragma once

#include "lib/base.h"

static inline void io_write8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline void io_write16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline void io_write32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
static inline uint8_t io_read8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}
static inline uint16_t io_read16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}
static inline uint32_t io_read32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t mmio_read32(const volatile void *base, size_t offset)
{
	return *(const volatile uint32_t *)((const volatile char *)base + offset);
}
static inline void mmio_write32(volatile void *base, size_t offset, uint32_t value)
{
	*(volatile uint32_t *)((volatile char *)base + offset) = value;
}
static inline uint64_t mmio_read64(const volatile void *base, size_t offset)
{
	return *(const volatile uint64_t *)((const volatile char *)base + offset);
}
static inline void mmio_write64(volatile void *base, size_t offset, uint64_t value)
{
	*(volatile uint64_t *)((volatile char *)base + offset) = value;
}
