/* SPDX-License-Identifier: MIT */
#include "page/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/files.h"
#include "support.h"
#include "unit.h"

static struct figures figures;
static struct view_history history;
static struct view_console console;
static struct view view;
static struct buffer text;

static void begin(void)
{
	figures = (struct figures){.seconds = 1};
	history = (struct view_history){0};
	console = (struct view_console){0};
	text = (struct buffer){0};
	view = (struct view){.figures = &figures,
			     .history = &history,
			     .console = &console,
			     .service = "ok",
			     .full = true};
}

static void end(void)
{
	buffer_free(&text);
}

static void append(bool (*how)(struct buffer *text, const struct view *view))
{
	text.length = 0;
	ck_assert(how(&text, &view));
	ck_assert(buffer_append(&text, "", 1));
}

static void assert_has(const char *words)
{
	ck_assert_msg(strstr(text.bytes, words) != NULL, "no %s in\n%s", words, text.bytes);
}

static void assert_has_not(const char *words)
{
	ck_assert_msg(strstr(text.bytes, words) == NULL, "%s in\n%s", words, text.bytes);
}

static void add_hostile(void)
{
	struct surveyed_session *session = &figures.survey.busiest[figures.survey.count++];
	(void)strcpy(session->name, "<b>\"peer");
	session->more = 1234;
	view.records = slice_of("<script>\"one\n<i>two\n");
}

START_TEST(what_comes_from_peers_is_text)
{
	add_hostile();
	append(view_append_html);
	assert_has("<td>&lt;b&gt;&quot;peer</td><td>1,234</td>");
	assert_has("&lt;script&gt;&quot;one\n&lt;i&gt;two</pre>");
	assert_has_not("<script>\"");
	assert_has_not("<b>\"");
	append(view_append_event);
	assert_has("[\"<b>\\u0022peer\",\"1,234\"");
	assert_has("\"records\":[\"<script>\\u0022one\",\"<i>two\"]");
}
END_TEST

START_TEST(without_the_token_there_are_no_peers_and_records)
{
	add_hostile();
	console.shown = true;
	(void)strcpy(console.asked, "12, by http:peer");
	view.full = false;
	append(view_append_html);
	assert_has_not("peer");
	assert_has_not("one\n");
	assert_has("<a href=\"/records\">");
	append(view_append_event);
	assert_has_not("\"sessions\"");
	assert_has_not("\"records\"");
	assert_has_not("peer");
}
END_TEST

START_TEST(each_value_of_the_page_is_known)
{
	console.shown = true;
	append(view_append_html);
	assert_has_not("{{");
	assert_has_not("}}");
	assert_has("id=\"statistics\"");
}
END_TEST

START_TEST(the_console_is_shown_for_a_service_that_has_one)
{
	append(view_append_html);
	assert_has_not("id=\"statistics\"");
	(void)strcpy(console.alphabet, "\"<&");
	console.shown = true;
	append(view_append_html);
	assert_has("value=\"&quot;&lt;&amp;\"");
}
END_TEST

START_TEST(a_failing_log_is_told)
{
	append(view_append_html);
	assert_has("class=\"good\" role=\"status\"");
	figures.failing = ENOSPC;
	append(view_append_html);
	assert_has("class=\"bad\" role=\"status\"");
	assert_has("The log cannot be written: No space left on device");
	append(view_append_event);
	assert_has("\"state_class\":\"bad\"");
}
END_TEST

START_TEST(an_event_is_one_line_of_data)
{
	add_hostile();
	append(view_append_event);
	assert_has("event: state\ndata: {");
	ck_assert_uint_eq(count_of(text.bytes, "\n"), 3);
	ck_assert_str_eq(text.bytes + text.length - sizeof "}\n\n", "}\n\n");
}
END_TEST

START_TEST(the_plot_has_the_last_minutes)
{
	for (int i = 0; i < FIGURES_HISTORY + 10; i++) {
		figures.line_rate = i;
		view_history_add(&history, &figures);
	}
	ck_assert_uint_eq(history.count, FIGURES_HISTORY);
	ck_assert_double_eq(history.rates[0], 10);
	ck_assert_double_eq(history.rates[FIGURES_HISTORY - 1], FIGURES_HISTORY + 9);
	append(view_append_html);
	assert_has("points=\"0,96 1,96 ");
	assert_has(" 299,2\" data-points=\"rate_points\"");
	assert_has("<b data-key=\"rate_max\">309</b>");
}
END_TEST

START_TEST(the_files_are_those_of_the_source)
{
	static const struct {
		const char *name;
		const struct slice *file;
	} files[] = {{"chars.html", &page_file_chars_html},
		     {"page.css", &page_file_page_css},
		     {"page.html", &page_file_page_html},
		     {"page.js", &page_file_page_js}};
	const char *source = getenv("srcdir");
	for (size_t i = 0; source && i < sizeof files / sizeof *files; i++) {
		char path[4096];
		size_t length;
		(void)snprintf(path, sizeof path, "%s/src/page/%s", source, files[i].name);
		char *bytes = file_read(path, &length);
		ck_assert_uint_eq(files[i].file->length, length);
		ck_assert_mem_eq(files[i].file->bytes, bytes, length);
		free(bytes);
	}
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("view");
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, what_comes_from_peers_is_text);
	tcase_add_test(all, without_the_token_there_are_no_peers_and_records);
	tcase_add_test(all, each_value_of_the_page_is_known);
	tcase_add_test(all, the_console_is_shown_for_a_service_that_has_one);
	tcase_add_test(all, a_failing_log_is_told);
	tcase_add_test(all, an_event_is_one_line_of_data);
	tcase_add_test(all, the_plot_has_the_last_minutes);
	tcase_add_test(all, the_files_are_those_of_the_source);
	return unit_main("view", all, NULL);
}
