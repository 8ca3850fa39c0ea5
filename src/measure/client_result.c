/* SPDX-License-Identifier: MIT */
#include "measure/client_result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/escape.h"

enum {
	FIELDS_MAX = 8,	       /* of a line, with its keyword */
	THREADS_MAX = 1000000, /* threads and iterations believed: their */
};
#define ITERATIONS_MAX (INT64_C(1) << 42) /* product stays in range */

static bool read_unsigned(struct slice field, uint64_t *number)
{
	return slice_number(&field, number) && !field.length;
}

static bool read_number(struct slice field, int64_t min, int64_t max, int64_t *number)
{
	uint64_t value;
	if (!read_unsigned(field, &value) || value > (uint64_t)max || (int64_t)value < min)
		return false;
	*number = (int64_t)value;
	return true;
}

/* A number as "%.17g" writes it, not negative. */
static bool read_decimal(struct slice field, double *number)
{
	char string[32], *end;
	if (field.length >= sizeof string || *field.bytes < '0' || *field.bytes > '9')
		return false;
	memcpy(string, field.bytes, field.length);
	string[field.length] = '\0';
	*number = strtod(string, &end);
	return end == string + field.length && isfinite(*number);
}

static bool read_name(struct slice field, char name[SOCKET_NAME_SIZE])
{
	if (field.length >= SOCKET_NAME_SIZE || memchr(field.bytes, '\0', field.length))
		return false;
	memcpy(name, field.bytes, field.length);
	name[field.length] = '\0';
	return true;
}

/* One of two choices. */
static bool read_choice(struct slice field, const char *yes, const char *no, bool *choice)
{
	*choice = slice_equals(field, yes);
	return *choice || slice_equals(field, no);
}

static bool read_plan(struct client_result *result, const struct slice *field)
{
	if (result->per_thread || !read_number(field[1], 1, THREADS_MAX, &result->threads) ||
	    !read_number(field[2], 1, ITERATIONS_MAX, &result->iterations) ||
	    !read_number(field[3], 1, INT32_MAX, &result->window) ||
	    !read_choice(field[4], "each", "shared", &result->each))
		return false;
	const struct slice *next = field + 5;
	result->free = result->each && slice_equals(*next, "free");
	next += result->free;
	result->open = slice_equals(*next, "open");
	next += result->open;
	result->per_thread = memory_calloc((size_t)result->threads, sizeof *result->per_thread);
	return !next->length && result->per_thread;
}

static bool read_connection(struct client_result *result, const struct slice *field)
{
	struct client_result_connection made = {.answered = -1};
	if (!result->per_thread ||
	    !read_number(field[1], 0, result->each ? result->threads - 1 : 0, &made.thread) ||
	    !read_name(field[2], made.name) ||
	    (field[3].length && !read_number(field[3], 0, INT64_MAX, &made.answered)))
		return false;
	void *larger = memory_grow(result->connections, result->connection_count,
				   &result->connection_capacity, sizeof made);
	if (!larger)
		return false;
	result->connections = larger;
	result->connections[result->connection_count++] = made;
	return true;
}

static bool read_sender(struct client_result *result, const struct slice *field)
{
	struct client_result_sender sender = {0};
	if (field[1].length >= sizeof sender.name || !read_unsigned(field[2], &sender.last) ||
	    !read_unsigned(field[3], &sender.had))
		return false;
	memcpy(sender.name, field[1].bytes, field[1].length);
	void *larger = memory_grow(result->senders, result->sender_count, &result->sender_capacity,
				   sizeof sender);
	if (!larger)
		return false;
	result->senders = larger;
	result->senders[result->sender_count++] = sender;
	return true;
}

static bool read_thread(struct client_result *result, const struct slice *field)
{
	int64_t number;
	if (!result->per_thread || !read_number(field[1], 0, result->threads - 1, &number))
		return false;
	struct client_result_thread *thread = &result->per_thread[number];
	if (thread->reported || !read_number(field[2], 0, result->iterations, &thread->sent) ||
	    !read_number(field[3], 0, thread->sent, &thread->acknowledged) ||
	    !read_number(field[4], 0, INT32_MAX, &thread->resent))
		return false;
	thread->reported = true;
	return true;
}

/* Clients run at the same time: the longest time counts. */
static bool read_measured(struct client_result *result, const struct slice *field)
{
	struct result *sum = result->measured;
	int64_t elapsed, warmup;
	uint64_t unsent;
	bool strict;
	if (!read_number(field[1], 0, INT64_MAX, &elapsed) ||
	    !read_number(field[2], 0, INT64_MAX, &warmup) ||
	    !read_choice(field[3], "strict", "free", &strict) || !read_unsigned(field[4], &unsent))
		return false;
	if (!sum)
		return true;
	sum->unsent += unsent;
	sum->strict &= strict;
	sum->elapsed = elapsed > sum->elapsed ? elapsed : sum->elapsed;
	sum->warmup = warmup > sum->warmup ? warmup : sum->warmup;
	return true;
}

static bool read_expected(struct client_result *result, const struct slice *field)
{
	struct assertion_outcome outcome = {.measured = !slice_equals(field[2], "-")};
	if (result->outcome_count == ASSERTIONS_MAX ||
	    !read_choice(field[1], "met", "missed", &outcome.met) ||
	    (outcome.measured && !read_decimal(field[2], &outcome.value)))
		return false;
	result->outcomes[result->outcome_count++] = outcome;
	return true;
}

/* The exact ends; all between them comes with the buckets. */
static bool read_histogram(struct client_result *result, const struct slice *field)
{
	struct histogram one = {0}, *sum = NULL;
	bool raw;
	if (!read_choice(field[1], "raw", "latency", &raw) ||
	    !read_unsigned(field[2], &one.count) ||
	    !read_number(field[3], 0, INT64_MAX, &one.min) ||
	    !read_number(field[4], 0, INT64_MAX, &one.max))
		return false;
	if (result->measured)
		sum = raw ? result->measured->uncorrected : result->measured->latency;
	if (sum)
		histogram_merge(sum, &one);
	return true;
}

static bool read_bucket(struct client_result *result, const struct slice *field)
{
	int64_t index;
	uint64_t value;
	bool raw;
	if (!read_choice(field[1], "raw", "latency", &raw) ||
	    !read_number(field[2], 0, HISTOGRAM_BUCKETS - 1, &index) ||
	    !read_unsigned(field[3], &value))
		return false;
	if (result->measured)
		(raw ? result->measured->uncorrected : result->measured->latency)->buckets[index] +=
			value;
	return true;
}

static bool read_chars(struct client_result *result, const struct slice *field)
{
	struct chars_result *chars = &result->chars;
	return !*chars->name && read_name(field[1], chars->name) &&
	       read_unsigned(field[2], &chars->got.messages) &&
	       read_unsigned(field[3], &chars->got.characters) &&
	       read_unsigned(field[4], &chars->got.digest) &&
	       read_unsigned(field[5], &chars->before) && read_unsigned(field[6], &chars->stats) &&
	       read_unsigned(field[7], &chars->counted) && chars->before <= chars->got.messages;
}

/* Each thread must have its line. */
static bool read_end(struct client_result *result, const struct slice *field)
{
	(void)field;
	if (!result->per_thread && !*result->chars.name)
		return false;
	for (int64_t i = 0; i < result->threads; i++) {
		const struct client_result_thread *thread = &result->per_thread[i];
		if (!thread->reported)
			return false;
		result->total.sent += thread->sent;
		result->total.acknowledged += thread->acknowledged;
		result->total.resent += thread->resent;
	}
	result->planned = result->open ? result->total.sent : result->threads * result->iterations;
	result->complete = true;
	return true;
}

static const struct {
	const char *keyword;
	size_t min, max; /* fields, with the keyword */
	bool (*read)(struct client_result *result, const struct slice *field);
} kinds[] = {
	{"plan", 5, 7, read_plan},	     {"connection", 3, 4, read_connection},
	{"sender", 4, 4, read_sender},	     {"thread", 5, 5, read_thread},
	{"measured", 5, 5, read_measured},   {"expected", 3, 3, read_expected},
	{"histogram", 5, 5, read_histogram}, {"bucket", 4, 4, read_bucket},
	{"chars", 8, 8, read_chars},	     {"end", 1, 1, read_end},
};

/* Splits a line at single spaces. Fields that it does not have are empty, others must not be. */
static bool read_line(struct client_result *result, struct slice line)
{
	struct slice field[FIELDS_MAX + 1] = {{0}};
	size_t count = 0;
	while (count < FIELDS_MAX && slice_cut(&line, ' ', &field[count]))
		if (!field[count++].length)
			return false;
	field[count++] = line;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_equals(field[0], kinds[i].keyword))
			return line.length && count >= kinds[i].min && count <= kinds[i].max &&
			       kinds[i].read(result, field);
	return false;
}

void chars_sum_add(struct chars_sum *sum, struct slice text)
{
	static const uint64_t start = UINT64_C(0xcbf29ce484222325), prime = UINT64_C(0x100000001b3);
	uint64_t digest = sum->messages ? sum->digest : start;
	for (size_t i = 0; i < text.length; i++)
		digest = (digest ^ (unsigned char)text.bytes[i]) * prime;
	sum->digest = (digest ^ '\n') * prime;
	sum->messages++;
	sum->characters += text.length;
}

int client_result_read(struct client_result *result, const char *bytes, size_t length,
		       struct error *error)
{
	static const char end[] = "\nend\n";
	const size_t behind = sizeof end - 1;
	struct slice text = {bytes, length}, line;
	if (length < behind || memcmp(bytes + length - behind, end, behind) != 0)
		result->measured = NULL; /* it is not complete */
	while (slice_cut(&text, '\n', &line)) {
		if (!result->complete && read_line(result, line)) /* nothing may follow the end */
			continue;
		char excerpt[EXCERPT_SIZE];
		result->complete = false;
		return error_set(error, "damaged client result at '%s'",
				 record_excerpt(excerpt, line.bytes, line.length));
	}
	result->complete &= !text.length; /* else it was cut in a line */
	return 0;
}

void client_result_free(struct client_result *result)
{
	free(result->connections);
	free(result->senders);
	free(result->per_thread);
	*result = (struct client_result){0};
}
