/* SPDX-License-Identifier: MIT */
#include "client/follow/figures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "measure/exposition.h"
#include "record/escape.h"

void ship_figures_read(struct ship_figures *figures, struct shipper *shipper)
{
	bool has_session;
	figures->sent = atomic_load(&shipper->sent);
	figures->acknowledged = atomic_load(&shipper->acknowledged);
	figures->open = atomic_load(&shipper->open);
	figures->bytes = lag_read(&shipper->lag, &figures->time);
	figures->connected = shipper_is_connected(shipper, &has_session);
	figures->down = !figures->connected && (has_session || figures->bytes > 0);
}

bool ship_figures_words(struct buffer *text, const struct ship_figures *figures)
{
	return buffer_printf(text, "%" PRId64 " bytes and %" PRId64 " s behind", figures->bytes,
			     figures->time / CLOCK_SECOND) &&
	       (!figures->down || buffer_append_string(text, ", not connected"));
}

/* The bytes of all, and the time of the one that is behind for the longest. */
static size_t add_up(struct ship_figures *sum, struct shipper *const *shippers, size_t count)
{
	size_t down = 0;
	*sum = (struct ship_figures){0};
	for (size_t i = 0; i < count; i++) {
		struct ship_figures one;
		ship_figures_read(&one, shippers[i]);
		sum->bytes += one.bytes;
		sum->time = one.time > sum->time ? one.time : sum->time;
		down += one.down;
	}
	return down;
}

bool ship_figures_words_of_all(struct buffer *text, struct shipper *const *shippers, size_t count)
{
	struct ship_figures sum;
	size_t down = add_up(&sum, shippers, count);
	sum.down = down > 0 && count == 1;
	return ship_figures_words(text, &sum) &&
	       (!down || count == 1 ||
		buffer_printf(text, ", %zu of %zu files not connected", down, count));
}

size_t ship_figures_down(struct shipper *const *shippers, size_t count)
{
	struct ship_figures sum;
	return add_up(&sum, shippers, count);
}

/* --- metrics --- */

struct figures_of_all {
	struct ship_figures *figures;
	struct buffer *labels; /* {file="PATH"}, and a NUL */
	size_t count;
};

static bool append_label(struct buffer *label, const char *path)
{
	static const char name[] = "{file=\"";
	return buffer_append_string(label, name) && record_escape(label, path, strlen(path)) &&
	       record_mark(label, sizeof name - 1, '\\', '"') && buffer_append(label, "\"}", 3);
}

static bool read_all(struct figures_of_all *source, struct shipper *const *shippers, size_t count)
{
	source->figures = memory_calloc(count + 1, sizeof *source->figures);
	source->labels = memory_calloc(count + 1, sizeof *source->labels);
	if (!source->figures || !source->labels)
		return false;
	for (; source->count < count; source->count++) {
		size_t i = source->count;
		ship_figures_read(&source->figures[i], shippers[i]);
		if (!append_label(&source->labels[i], shippers[i]->path))
			return false;
	}
	return true;
}

static void free_all(struct figures_of_all *source, size_t count)
{
	for (size_t i = 0; source->labels && i < count; i++)
		buffer_free(&source->labels[i]);
	free(source->labels);
	free(source->figures);
}

static double sent(const struct ship_figures *figures)
{
	return (double)figures->sent;
}

static double acknowledged(const struct ship_figures *figures)
{
	return (double)figures->acknowledged;
}

static double open_lines(const struct ship_figures *figures)
{
	return (double)figures->open;
}

static double behind_bytes(const struct ship_figures *figures)
{
	return (double)figures->bytes;
}

static double behind_seconds(const struct ship_figures *figures)
{
	return (double)figures->time / (double)CLOCK_SECOND;
}

static double connected(const struct ship_figures *figures)
{
	return figures->connected ? 1 : 0;
}

static const struct {
	const char *name, *type, *help;
	double (*value)(const struct ship_figures *figures);
} metrics[] = {
	{"follow_lines_sent_total", "counter",
	 "Lines that were sent, each as often as it was sent.", sent},
	{"follow_lines_acknowledged_total", "counter", "Lines that the server has acknowledged.",
	 acknowledged},
	{"follow_lines_in_flight", "gauge", "Lines that were sent and not acknowledged.",
	 open_lines},
	{"follow_behind_bytes", "gauge", "Bytes of the file that are not acknowledged.",
	 behind_bytes},
	{"follow_behind_seconds", "gauge", "For how long the first of these bytes was there.",
	 behind_seconds},
	{"follow_connected", "gauge", "1 while the server takes lines of the file.", connected},
};

bool ship_figures_metrics(struct buffer *text, struct shipper *const *shippers, size_t count,
			  double start)
{
	struct exposition output = {.text = text};
	struct figures_of_all source = {0};
	output.failed = !read_all(&source, shippers, count);
	exposition_one(&output, "follow_files", "gauge", "Files that are followed.", (double)count);
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics && !output.failed; i++) {
		exposition_head(&output, metrics[i].name, metrics[i].type, metrics[i].help);
		for (size_t k = 0; k < count; k++)
			exposition_value(&output, metrics[i].name, source.labels[k].bytes,
					 metrics[i].value(&source.figures[k]));
	}
	exposition_process(&output, start);
	free_all(&source, count);
	return !output.failed;
}
