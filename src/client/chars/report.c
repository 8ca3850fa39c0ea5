/* SPDX-License-Identifier: MIT */
#include "client/chars/report.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/plural.h"
#include "base/program.h"

static int print(const struct chars_result *result, const struct client_options *options,
		 const char *program, struct error *error)
{
	struct buffer text = {0};
	bool complete = buffer_printf(
		&text,
		"%s: %" PRIu64 " character%s in %" PRIu64 " message%s; %" PRIu64
		" stat answer%s add%s up to %" PRIu64 "; seed of the pauses: %" PRId64 "\n",
		program, result->got.characters, PLURAL(result->got.characters),
		result->got.messages, PLURAL(result->got.messages), result->stats,
		PLURAL(result->stats), PLURAL_VERB(result->stats), result->counted, options->seed);
	return program_print(STDOUT_FILENO, "the report", &text, complete, error);
}

int chars_report(const struct chars_result *result, const struct client_options *options,
		 const char *program, bool automatic, struct error *error)
{
	int printed = 0;
	if (automatic && !options->quiet)
		printed = print(result, options, program, error);
	if (options->acks < 0 || chars_result_write(result, (int)options->acks, error))
		return printed;
	return -1;
}
