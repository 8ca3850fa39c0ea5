/* SPDX-License-Identifier: MIT */
#include "service.h"

extern const struct service service_echo;
extern const struct service service_ok;

const struct service *const services[] = {&service_ok, &service_echo, NULL};
const char *const service_names[] = {"ok", "echo", NULL};
