/* SPDX-License-Identifier: MIT */
#include "service/table.h"

extern const struct service service_chars;
extern const struct service service_echo;
extern const struct service service_ok;
extern const struct service service_ping;
extern const struct service service_relay;

const struct service *const services[] = {&service_ok,	  &service_echo,  &service_ping,
					  &service_chars, &service_relay, NULL};
