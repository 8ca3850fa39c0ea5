/* SPDX-License-Identifier: MIT */
#include "service/table.h"

const struct service *const services[] = {
	&service_ok,	&service_echo, &service_ping, &service_chars,
	&service_relay, &service_once, NULL};
