/* SPDX-License-Identifier: MIT */
#include "log/postgresql_array.h"

#include <endian.h>
#include <string.h>

#include "record/postgresql.h"

/* Before the elements. Each of these has its length before it, -1 where it is NULL. */
struct array_head {
	uint32_t dimensions, has_null, type, length, first;
};

bool postgresql_array_begin(struct buffer *array)
{
	static const struct array_head space;
	return buffer_append(array, &space, sizeof space);
}

bool postgresql_array_add(struct buffer *array, struct slice value)
{
	uint32_t length = htobe32((uint32_t)(value.bytes ? (int)value.length : -1));
	return buffer_append(array, &length, sizeof length) &&
	       buffer_append(array, value.bytes, value.length);
}

bool postgresql_array_add_number(struct buffer *array, int64_t number)
{
	char bytes[8];
	postgresql_put_number(bytes, number);
	return postgresql_array_add(array, (struct slice){bytes, sizeof bytes});
}

void postgresql_array_end(struct buffer *array, enum postgresql_type type, size_t count)
{
	const struct array_head head = {htobe32(1), htobe32(1), htobe32((uint32_t)type),
					htobe32((uint32_t)count), htobe32(1)};
	memcpy(array->bytes, &head, sizeof head);
}
