/* SPDX-License-Identifier: MIT */
#include "sinks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "unit.h"

static struct error error;
struct sink *sink;

void open_sink(const char *target, bool append)
{
	sink = sink_open(target, append, &error);
	ck_assert_msg(sink != NULL, "%s", error.message);
}

void close_sink(void)
{
	sink->type->close(sink);
}

int commit(const char *one, const char *two, bool durable)
{
	struct iovec parts[] = {{(void *)(uintptr_t)one, strlen(one)},
				{(void *)(uintptr_t)two, strlen(two)}};
	return sink->type->commit(sink, parts, 2, durable);
}

void assert_file(const char *path, const char *expected)
{
	char *bytes = file_read(path, NULL);
	ck_assert_str_eq(bytes, expected);
	free(bytes);
}

void assert_refused(const char *target, bool append, const char *words)
{
	size_t before = descriptors();
	ck_assert_ptr_null(sink_open(target, append, &error));
	ck_assert_str_eq(error.message, words);
	ck_assert_uint_eq(descriptors(), before);
}
