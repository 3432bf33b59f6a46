// SPDX-License-Identifier: MIT
/*
 * What servers have in common: a place to listen at, and connections that come into slots.
 */
#pragma once

#include "ring.h"

/*
 * A listening socket, or the end of the program with a message.
 *
 *     /run/web, ./web     a unix socket of that name, which must not exist
 *     @web                an abstract one, without a file
 *     127.0.0.1:80        TCP, where there is a network
 */
int listen_at(const char *where);

/*
 * Accepts connections for ever. Each is in a slot below `slots`, of which opened() is told. Who comes first when all
 * are taken is turned away; the others wait until server_close() has given one back.
 */
void server_start(int listening, unsigned slots, void (*opened)(unsigned slot));
void server_close(unsigned slot);
