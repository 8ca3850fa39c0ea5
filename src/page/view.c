/* SPDX-License-Identifier: MIT */
#include "page/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "page/files.h"
#include "page/text.h"

void view_history_add(struct view_history *history, const struct figures *figures)
{
	size_t kept = history->count;
	if (kept == FIGURES_HISTORY) {
		kept--;
		memmove(history->rates, history->rates + 1, kept * sizeof *history->rates);
		memmove(history->times, history->times + 1, kept * sizeof *history->times);
	}
	history->rates[kept] = figures->line_rate;
	history->times[kept] = figures->p99;
	history->count = kept + 1;
}

static double greatest(const double *numbers, size_t count)
{
	double most = 0;
	for (size_t i = 0; i < count; i++)
		most = numbers[i] > most ? numbers[i] : most;
	return most;
}

/* The points of a line in a plot of 300 by 100, at its right end. */
static bool append_points(struct buffer *points, const double *numbers, size_t count)
{
	double most = greatest(numbers, count);
	bool done = true;
	for (size_t i = 0; i < count && done; i++)
		done = buffer_printf(points, "%s%zu,%.0f", i ? " " : "",
				     FIGURES_HISTORY - count + i,
				     99 - (most > 0 ? numbers[i] / most * 97 : 0));
	return done;
}

/* --- values, each with a name --- */

static bool append_state(struct buffer *text, const struct view *view)
{
	int failing = view->figures->failing;
	return failing ? buffer_printf(text, "The log cannot be written: %s", strerror(failing))
		       : buffer_append_string(text, "The log is written.");
}

static bool append_state_class(struct buffer *text, const struct view *view)
{
	return buffer_append_string(text, view->figures->failing ? "bad" : "good");
}

static bool append_rate_points(struct buffer *text, const struct view *view)
{
	return append_points(text, view->history->rates, view->history->count);
}

static bool append_time_points(struct buffer *text, const struct view *view)
{
	return append_points(text, view->history->times, view->history->count);
}

static bool append_rate_max(struct buffer *text, const struct view *view)
{
	char number[TEXT_NUMBER_SIZE];
	text_number(greatest(view->history->rates, view->history->count), number);
	return buffer_append_string(text, number);
}

static bool append_time_max(struct buffer *text, const struct view *view)
{
	char number[TEXT_NUMBER_SIZE];
	text_duration(greatest(view->history->times, view->history->count), number);
	return buffer_append_string(text, number);
}

static bool append_running(struct buffer *text, const struct view *view)
{
	char period[TEXT_NUMBER_SIZE];
	text_period((double)(view->figures->at - view->figures->started) / (double)CLOCK_SECOND,
		    period);
	return buffer_append_string(text, period);
}

static bool append_batch(struct buffer *text, const struct view *view)
{
	const struct distribution_counts *lines = &view->figures->batch_lines;
	uint64_t batches = 0;
	for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++)
		batches += lines->counts[i];
	return buffer_printf(text, "%.3g", batches ? (double)lines->sum / (double)batches : 0);
}

static bool append_turned_away(struct buffer *text, const struct view *view)
{
	const uint64_t *notes = view->figures->notes;
	return buffer_printf(text, "%" PRIu64,
			     notes[NOTE_REFUSED] + notes[NOTE_REFUSED_ADDRESS] +
				     notes[NOTE_HANDSHAKE]);
}

static bool append_service(struct buffer *text, const struct view *view)
{
	return buffer_append_string(text, view->service);
}

static bool append_alphabet(struct buffer *text, const struct view *view)
{
	return buffer_append_string(text, view->console->alphabet);
}

static bool append_min(struct buffer *text, const struct view *view)
{
	return buffer_printf(text, "%" PRId64, view->console->burst.min);
}

static bool append_max(struct buffer *text, const struct view *view)
{
	return buffer_printf(text, "%" PRId64, view->console->burst.max);
}

static bool append_settings(struct buffer *text, const struct view *view)
{
	const struct view_console *console = view->console;
	return !console->shown ||
	       buffer_printf(text, "%s, %" PRId64 " to %" PRId64 " in a message", console->alphabet,
			     console->burst.min, console->burst.max);
}

static bool append_count(struct buffer *text, const struct view *view)
{
	return buffer_append_string(text, view->console->count);
}

static bool append_asked(struct buffer *text, const struct view *view)
{
	return buffer_append_string(text, view->full ? view->console->asked : "");
}

enum kind { COUNT, NUMBER, BYTES, TIME, OTHER };

#define OF(member) offsetof(struct figures, member)

static const struct value {
	const char *name;
	enum kind kind;
	size_t offset; /* in struct figures: an uint64_t of COUNT and BYTES, else a double */
	bool (*append)(struct buffer *text, const struct view *view); /* of OTHER */
} values[] = {
	{"service", OTHER, 0, append_service},
	{"state", OTHER, 0, append_state},
	{"state_class", OTHER, 0, append_state_class},
	{"line_rate", NUMBER, OF(line_rate), NULL},
	{"median", TIME, OF(median), NULL},
	{"p99", TIME, OF(p99), NULL},
	{"connections", COUNT, OF(survey.live), NULL},
	{"rate_points", OTHER, 0, append_rate_points},
	{"time_points", OTHER, 0, append_time_points},
	{"rate_max", OTHER, 0, append_rate_max},
	{"time_max", OTHER, 0, append_time_max},
	{"running", OTHER, 0, append_running},
	{"lines", COUNT, OF(lines), NULL},
	{"sent", COUNT, OF(sent), NULL},
	{"refused", COUNT, OF(refused), NULL},
	{"stored", BYTES, OF(stored), NULL},
	{"batch", OTHER, 0, append_batch},
	{"accepted", COUNT, OF(survey.started), NULL},
	{"turned_away", OTHER, 0, append_turned_away},
	{"unsent", BYTES, OF(survey.unsent), NULL},
	{"alphabet", OTHER, 0, append_alphabet},
	{"min", OTHER, 0, append_min},
	{"max", OTHER, 0, append_max},
	{"settings", OTHER, 0, append_settings},
	{"count", OTHER, 0, append_count},
	{"asked", OTHER, 0, append_asked},
};

enum { VALUES = sizeof values / sizeof *values };

static bool append_value(struct buffer *text, const struct value *value, const struct view *view)
{
	char number[TEXT_NUMBER_SIZE];
	const char *at = (const char *)view->figures + value->offset;
	switch (value->kind) {
	case COUNT:
		text_number((double)*(const uint64_t *)(const void *)at, number);
		break;
	case BYTES:
		text_bytes((double)*(const uint64_t *)(const void *)at, number);
		break;
	case NUMBER:
		text_number(*(const double *)(const void *)at, number);
		break;
	case TIME:
		text_duration(*(const double *)(const void *)at, number);
		break;
	default:
		return value->append(text, view);
	}
	return buffer_append_string(text, number);
}

/* --- rows --- */

enum { CELLS = 4 };

struct row {
	char cells[CELLS][SURVEY_NAME_SIZE];
};

static void make_row(struct row *row, const struct surveyed_session *session, double seconds)
{
	(void)snprintf(row->cells[0], sizeof row->cells[0], "%s", session->name);
	text_number(seconds > 0 ? (double)session->more / seconds : 0, row->cells[1]);
	text_number((double)session->lines, row->cells[2]);
	text_bytes((double)session->unsent, row->cells[3]);
}

/* Appends each cell by the function. The words go before, between and behind rows, and between
 * cells.
 */
static bool append_sessions(struct buffer *text, const struct view *view,
			    bool (*append)(struct buffer *text, struct slice cell),
			    const char *const words[4])
{
	const struct survey *survey = &view->figures->survey;
	bool done = true;
	for (size_t i = 0; i < survey->count && done; i++) {
		struct row row;
		make_row(&row, &survey->busiest[i], view->figures->seconds);
		done = buffer_append_string(text, i ? words[1] : "") &&
		       buffer_append_string(text, words[0]);
		for (size_t cell = 0; cell < CELLS && done; cell++)
			done = buffer_append_string(text, cell ? words[3] : "") &&
			       append(text, slice_of(row.cells[cell]));
		done = done && buffer_append_string(text, words[2]);
	}
	return done;
}

static bool append_records(struct buffer *text, const struct view *view,
			   bool (*append)(struct buffer *text, struct slice record),
			   const char *between)
{
	struct slice rest = view->records, record;
	bool done = true;
	for (bool first = true; done && slice_cut(&rest, '\n', &record); first = false)
		done = buffer_append_string(text, first ? "" : between) &&
		       append(text, text_excerpt(record, VIEW_RECORD_MAX));
	return done;
}

/* --- HTML --- */

static const char show_link[] = "<p><a href=\"/records\">Show them</a> (asks for the token)</p>";

static bool append_sessions_html(struct buffer *html, const struct view *view)
{
	static const char *const words[] = {"<tr><td>", "\n", "</td></tr>", "</td><td>"};
	if (!view->full)
		return buffer_append_string(html, show_link);
	return buffer_append_string(html, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
					  "aria-label=\"Busiest connections\"><table>\n<thead>"
					  "<tr><th scope=\"col\">Peer</th>"
					  "<th scope=\"col\">Lines a second</th>"
					  "<th scope=\"col\">Lines</th>"
					  "<th scope=\"col\">Not taken</th></tr></thead>\n"
					  "<tbody id=\"sessions\">") &&
	       append_sessions(html, view, text_append_html, words) &&
	       buffer_append_string(html, "</tbody></table></div>");
}

static bool append_records_html(struct buffer *html, const struct view *view)
{
	if (!view->full)
		return buffer_append_string(html, show_link);
	return buffer_append_string(html, "<pre id=\"records\" tabindex=\"0\">") &&
	       append_records(html, view, text_append_html, "\n") &&
	       buffer_append_string(html, "</pre>");
}

static bool append_figures_html(struct buffer *html, const struct view *view)
{
	bool done = true;
	for (size_t i = 0; i < view->figures->service_count && done; i++)
		done = buffer_printf(html, "<div><dt>%s</dt><dd data-key=\"%s\">%.6g</dd></div>\n",
				     view->figures->service[i].help, view->figures->service[i].name,
				     view->figures->service[i].value);
	return done;
}

static bool render(struct buffer *html, const struct view *view, struct slice template);

static bool append_chars_html(struct buffer *html, const struct view *view)
{
	return !view->console->shown || render(html, view, page_file_chars_html);
}

/* The parts that are markup themselves. */
static const struct {
	const char *name;
	bool (*append)(struct buffer *html, const struct view *view);
} parts[] = {
	{"sessions", append_sessions_html},
	{"records", append_records_html},
	{"figures", append_figures_html},
	{"chars", append_chars_html},
};

/* A name that is not known stands for nothing. */
static bool append_named(struct buffer *html, const struct view *view, struct slice name)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (slice_equals(name, parts[i].name))
			return parts[i].append(html, view);
	for (size_t i = 0; i < VALUES; i++) {
		if (!slice_equals(name, values[i].name))
			continue;
		struct buffer text = {0};
		bool done = append_value(&text, &values[i], view) &&
			    text_append_html(html, (struct slice){text.bytes, text.length});
		buffer_free(&text);
		return done;
	}
	return true;
}

static bool render(struct buffer *html, const struct view *view, struct slice template)
{
	const char *open;
	while ((open = memmem(template.bytes, template.length, "{{", 2))) {
		size_t before = (size_t)(open - template.bytes);
		if (!buffer_append(html, template.bytes, before))
			return false;
		slice_drop(&template, before + 2);
		const char *close = memmem(template.bytes, template.length, "}}", 2);
		if (!close)
			return true; /* not in our files */
		struct slice name = {template.bytes, (size_t)(close - template.bytes)};
		if (!append_named(html, view, name))
			return false;
		slice_drop(&template, name.length + 2);
	}
	return buffer_append(html, template.bytes, template.length);
}

bool view_append_html(struct buffer *html, const struct view *view)
{
	return render(html, view, page_file_page_html);
}

/* --- events --- */

static bool append_values_json(struct buffer *json, const struct view *view)
{
	struct buffer text = {0};
	bool done = buffer_append_string(json, "\"values\":{");
	for (size_t i = 0; i < VALUES && done; i++) {
		text.length = 0;
		done = append_value(&text, &values[i], view) &&
		       buffer_printf(json, "%s\"%s\":", i ? "," : "", values[i].name) &&
		       text_append_json(json, (struct slice){text.bytes, text.length});
	}
	for (size_t i = 0; i < view->figures->service_count && done; i++)
		done = buffer_printf(json, ",\"%s\":\"%.6g\"", view->figures->service[i].name,
				     view->figures->service[i].value);
	buffer_free(&text);
	return done && buffer_append_string(json, "}");
}

bool view_append_event(struct buffer *event, const struct view *view)
{
	static const char *const words[] = {"[", ",", "]", ","};
	bool done = buffer_append_string(event, "event: state\ndata: {") &&
		    append_values_json(event, view);
	if (view->full)
		done = done && buffer_append_string(event, ",\"sessions\":[") &&
		       append_sessions(event, view, text_append_json, words) &&
		       buffer_append_string(event, "],\"records\":[") &&
		       append_records(event, view, text_append_json, ",") &&
		       buffer_append_string(event, "]");
	return done && buffer_append_string(event, "}\n\n");
}
