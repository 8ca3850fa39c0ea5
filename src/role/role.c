/* SPDX-License-Identifier: MIT */
#include "role.h"

extern const struct role role_echo;
extern const struct role role_ok;

const struct role *const roles[] = {&role_ok, &role_echo, NULL};
const char *const role_names[] = {"ok", "echo", NULL};
