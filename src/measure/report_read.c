/* SPDX-License-Identifier: MIT */
#include "measure/report_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "record/escape.h"

enum { NUMBER_SIZE = 32, DEPTH_MAX = 8, FAULT_SIZE = 80, FAILURE_MAX = 400 };

/* A count is less, so that no sum of many reports can overflow: lines of years. */
#define COUNT_MAX (UINT64_C(1) << 48)

/* The members that are read. */
enum member {
	LATENCY,
	SENT,
	ACKNOWLEDGED,
	SECONDS,
	MEASURED,
	REQUIRED_MEMBERS, /* those before it */
	LOST = REQUIRED_MEMBERS,
	RESENT,
	HAD,
	UNSENT,
	ORDER,
	FAILURE,
	RAW,
	MEMBERS
};

static const char *const names[MEMBERS] = {"latency",  "sent",	"acknowledged", "seconds",
					   "measured", "lost",	"resent",	"had",
					   "unsent",   "order", "failure",	"raw"};

/* What one report has. */
struct report {
	bool has[MEMBERS];
	char fault[FAULT_SIZE]; /* why it is refused though it is JSON; empty: it is not */
	struct counters total;
	uint64_t lost, unsent;
	bool free;
	struct report_found *found;
	struct histogram *latency, *raw; /* empty at first */
	int64_t elapsed, measured;	 /* ns */
};

/* One histogram of it. */
struct reading {
	struct histogram *histogram; /* empty at first */
	uint64_t count, counted;     /* as it says, and as the buckets have */
	int64_t min, max;
};

/* False. */
__attribute__((format(printf, 2, 3))) static bool refuse(struct report *report, const char *format,
							 ...)
{
	va_list values;
	va_start(values, format);
	(void)vsnprintf(report->fault, sizeof report->fault, format, values); /* fits */
	va_end(values);
	return false;
}

/* The functions below take a value or a part of one off the text. False: it does not stand there.
 */

static void skip_blanks(struct slice *text)
{
	while (text->length && strchr(" \t\r\n", *text->bytes) && *text->bytes)
		slice_drop(text, 1);
}

static bool take(struct slice *text, const char *word)
{
	skip_blanks(text);
	return slice_skip(text, word);
}

/* The bytes between the quotes, with escapes as they are. */
static bool take_string(struct slice *text, struct slice *string)
{
	if (!take(text, "\""))
		return false;
	size_t length = 0;
	while (length < text->length && text->bytes[length] != '"')
		length += text->bytes[length] == '\\' ? 2 : 1;
	if (length >= text->length)
		return false;
	*string = (struct slice){text->bytes, length};
	slice_drop(text, length + 1);
	return true;
}

static bool take_count(struct slice *text, uint64_t *count)
{
	skip_blanks(text);
	return slice_number(text, count) && *count < COUNT_MAX;
}

static bool take_time(struct slice *text, int64_t *time)
{
	uint64_t count;
	skip_blanks(text);
	if (!slice_number(text, &count) || count > INT64_MAX)
		return false;
	*time = (int64_t)count;
	return true;
}

static bool take_decimal(struct slice *text, double *value)
{
	char number[NUMBER_SIZE], *end;
	size_t length = 0;
	skip_blanks(text);
	while (length < text->length && length < sizeof number - 1 &&
	       strchr("+-.0123456789eE", text->bytes[length]) && text->bytes[length])
		length++;
	if (!length)
		return false;
	memcpy(number, text->bytes, length);
	number[length] = '\0';
	*value = strtod(number, &end);
	slice_drop(text, length);
	return !*end;
}

static bool take_seconds(struct slice *text, int64_t *time)
{
	double value;
	if (!take_decimal(text, &value) || value < 0 || value > 9e9)
		return false;
	*time = (int64_t)(value * (double)CLOCK_SECOND + 0.5);
	return true;
}

/* Takes the members of an object, or the elements of an array, whose names are empty. */
typedef bool (*take_member)(struct slice *text, struct slice name, void *context);

static bool take_members(struct slice *text, char open, take_member member, void *context)
{
	const char begin[] = {open, '\0'}, end[] = {open == '{' ? '}' : ']', '\0'};
	struct slice name = {"", 0};
	if (!take(text, begin))
		return false;
	if (take(text, end))
		return true;
	do
		if ((open == '{' && (!take_string(text, &name) || !take(text, ":"))) ||
		    !member(text, name, context))
			return false;
	while (take(text, ","));
	return take(text, end);
}

/* Any value; `context` is how deep it may be. */
static bool skip_value(struct slice *text, struct slice name, void *context)
{
	int depth = *(int *)context - 1;
	struct slice string;
	double number;
	(void)name;
	skip_blanks(text);
	if (depth < 0 || !text->length)
		return false;
	if (*text->bytes == '{' || *text->bytes == '[')
		return take_members(text, *text->bytes, skip_value, &depth);
	return take_string(text, &string) || take(text, "null") || take(text, "true") ||
	       take(text, "false") || take_decimal(text, &number);
}

static bool skip(struct slice *text)
{
	int depth = DEPTH_MAX;
	return skip_value(text, (struct slice){"", 0}, &depth);
}

/* --- a report --- */

static bool take_bucket(struct slice *text, struct slice name, void *context)
{
	struct reading *reading = context;
	uint64_t bucket, count;
	(void)name;
	if (!take(text, "[") || !take_count(text, &bucket) || !take(text, ",") ||
	    !take_count(text, &count) || !take(text, "]") || bucket >= HISTOGRAM_BUCKETS)
		return false;
	reading->histogram->buckets[bucket] += count;
	return !__builtin_add_overflow(reading->counted, count, &reading->counted);
}

static bool take_latency_member(struct slice *text, struct slice name, void *context)
{
	struct reading *reading = context;
	if (slice_equals(name, "count"))
		return take_count(text, &reading->count);
	if (slice_equals(name, "min"))
		return take_time(text, &reading->min);
	if (slice_equals(name, "max"))
		return take_time(text, &reading->max);
	if (slice_equals(name, "buckets"))
		return take_members(text, '[', take_bucket, reading);
	return skip(text); /* quantiles follow from these */
}

/* Whether the first and the last bucket with a count are those of the minimum and the maximum. */
static bool agrees(const struct reading *reading)
{
	const uint64_t *buckets = reading->histogram->buckets;
	size_t first = 0, last = HISTOGRAM_BUCKETS;
	if (reading->count != reading->counted || !reading->count)
		return reading->count == reading->counted;
	while (!buckets[first])
		first++;
	while (!buckets[last - 1])
		last--;
	return reading->min <= reading->max && histogram_bucket(reading->min) == first &&
	       histogram_bucket(reading->max) == last - 1;
}

static bool take_latency(struct slice *text, struct report *report, enum member member)
{
	struct histogram *histogram = member == RAW ? report->raw : report->latency;
	struct reading reading = {.histogram = histogram};
	if (!take_members(text, '{', take_latency_member, &reading))
		return false;
	if (!agrees(&reading))
		return refuse(report, "the values of '%s' do not agree", names[member]);
	if (!reading.count)
		return true;
	histogram->min = reading.min;
	histogram->max = reading.max;
	histogram->count = reading.count;
	return true;
}

static bool take_measured_member(struct slice *text, struct slice name, void *context)
{
	struct report *report = context;
	return slice_equals(name, "seconds") ? take_seconds(text, &report->measured) : skip(text);
}

/* Appends what a string stands for. Escapes of control bytes stay, which are letters then. */
static bool add_string(struct buffer *buffer, struct slice string)
{
	struct buffer bytes = {0};
	bool complete = true;
	for (size_t i = 0; i < string.length && complete; i++) {
		bool escaped = string.bytes[i] == '\\' && i + 1 < string.length;
		i += escaped && strchr("\"\\/", string.bytes[i + 1]) && string.bytes[i + 1];
		complete = buffer_append(&bytes, string.bytes + i, 1);
	}
	complete = complete && record_escape_rest(buffer, bytes.bytes, bytes.length);
	buffer_free(&bytes);
	return complete;
}

static bool take_failure(struct slice *text, struct report_found *found)
{
	struct slice string;
	struct buffer failure = {0};
	if (take(text, "null"))
		return true;
	if (!take_string(text, &string))
		return false;
	bool complete = add_string(&failure, string);
	if (!*found->failure)
		(void)snprintf(found->failure, sizeof found->failure, "%.*s",
			       (int)(failure.length < FAILURE_MAX ? failure.length : FAILURE_MAX),
			       failure.length ? failure.bytes : "");
	buffer_free(&failure);
	return complete;
}

static bool take_order(struct slice *text, bool *free)
{
	struct slice order;
	bool taken = take_string(text, &order);
	*free = taken && !slice_equals(order, "strict");
	return taken;
}

static bool take_value(struct slice *text, struct report *report, enum member member)
{
	uint64_t *const counts[MEMBERS] = {
		[SENT] = &report->total.sent, [ACKNOWLEDGED] = &report->total.acknowledged,
		[LOST] = &report->lost,	      [RESENT] = &report->total.resent,
		[HAD] = &report->total.had,   [UNSENT] = &report->unsent};
	if (counts[member])
		return take_count(text, counts[member]);
	if (member == ORDER)
		return take_order(text, &report->free);
	if (member == SECONDS)
		return take_seconds(text, &report->elapsed);
	if (member == MEASURED)
		return take_members(text, '{', take_measured_member, report);
	if (member == FAILURE)
		return take_failure(text, report->found);
	return take_latency(text, report, member);
}

static bool take_report_member(struct slice *text, struct slice name, void *context)
{
	struct report *report = context;
	for (enum member i = 0; i < MEMBERS; i++)
		if (slice_equals(name, names[i])) {
			if (report->has[i])
				return refuse(report, "'%s' is there twice", names[i]);
			report->has[i] = true;
			return take_value(text, report, i);
		}
	return skip(text);
}

static bool check_report(struct report *report)
{
	const struct counters *total = &report->total;
	for (enum member i = 0; i < REQUIRED_MEMBERS; i++)
		if (!report->has[i])
			return refuse(report, "it is no report of a run: no %s is in it", names[i]);
	if (total->acknowledged > total->sent)
		return refuse(report, "more is acknowledged than sent");
	if (report->has[LOST] && report->lost != total->sent - total->acknowledged)
		return refuse(report, "'lost' is not what was sent and not acknowledged");
	if (report->measured > report->elapsed)
		return refuse(report, "more time is measured than there was");
	return true;
}

/* Without a schedule the uncorrected latency is the same. */
static void add_report(struct result *sum, const struct report *report)
{
	int64_t warmup = report->elapsed - report->measured;
	sum->total.sent += report->total.sent;
	sum->total.acknowledged += report->total.acknowledged;
	sum->total.resent += report->total.resent;
	sum->total.had += report->total.had;
	sum->unsent += report->unsent;
	sum->strict &= !report->free;
	sum->elapsed = report->elapsed > sum->elapsed ? report->elapsed : sum->elapsed;
	sum->warmup = warmup > sum->warmup ? warmup : sum->warmup;
	histogram_merge(sum->latency, report->latency);
	histogram_merge(sum->uncorrected, report->raw->count ? report->raw : report->latency);
	report->found->reports++;
	report->found->scheduled |= report->raw->count > 0;
}

/* Takes one report. `whole`: bytes of all the text, for the error. */
static int read_one(struct slice *text, size_t whole, struct report *report, struct error *error)
{
	bool taken = take_members(text, '{', take_report_member, report) && check_report(report);
	if (!taken && !*report->fault)
		return error_set(error, "it is no report in JSON: at byte %zu",
				 whole - text->length + 1);
	return taken ? 0 : error_set(error, "%s", report->fault);
}

int report_read(struct result *sum, struct slice text, struct report_found *found,
		struct error *error)
{
	size_t whole = text.length;
	int result = 0;
	struct histogram *own = memory_calloc(2, sizeof *own);
	if (!own)
		return error_set(error, "out of memory for a report");
	for (skip_blanks(&text); text.length && result == 0; skip_blanks(&text)) {
		struct report report = {.found = found, .latency = &own[0], .raw = &own[1]};
		result = read_one(&text, whole, &report, error);
		if (result == 0)
			add_report(sum, &report);
		memset(own, 0, 2 * sizeof *own);
	}
	free(own);
	return result;
}
