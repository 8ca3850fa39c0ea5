/* SPDX-License-Identifier: MIT */
#include "service.h"

extern const struct service service_ok;

const struct service *const services[] = {&service_ok, NULL};
const char *const service_names[] = {"ok", NULL};
