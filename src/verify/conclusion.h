/* SPDX-License-Identifier: MIT */
/* Draws the conclusion of a proof whose log was read. */
#ifndef ACKLINE_VERIFY_CONCLUSION_H
#define ACKLINE_VERIFY_CONCLUSION_H

#include "verify/tables.h"

void proof_conclude(const struct proof *proof, struct verdict *verdict);

#endif
