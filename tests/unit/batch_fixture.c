/* SPDX-License-Identifier: MIT */
#include "batch_fixture.h"

#include <string.h>

#include "unit.h"

const struct stamp batch_stamp = {1, "2019-02-24 15:10:14", "+00:00", 0};
struct batch batch;
struct buffer sent;
struct fake a, b;

static struct delivery delivery; /* no other batches */

void batch_begin(void)
{
	fake_init(&a, "a");
	fake_init(&b, "b");
}

void batch_end(void)
{
	batch_free(&batch);
	buffer_free(&sent);
	fake_free(&a);
	fake_free(&b);
}

bool batch_take(struct fake *fake, const char *line)
{
	struct log_item item = item_line(line);
	return batch_add(&batch, &record_text, &batch_stamp, &fake->recipient, &item, 1);
}

void batch_deliver(int reason)
{
	batch.refused = reason;
	if (!reason)
		batch_append_sent(&batch, &record_text, &batch_stamp, &sent);
	delivery_run(&delivery, &batch);
}

void assert_text(const struct buffer *text, const char *expected)
{
	ck_assert_uint_eq(text->length, strlen(expected));
	ck_assert_msg(!text->length || !memcmp(text->bytes, expected, text->length), "%.*s",
		      (int)text->length, text->bytes);
}
