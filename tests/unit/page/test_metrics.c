/* SPDX-License-Identifier: MIT */
#include "page/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "unit.h"

static struct figures figures;
static struct buffer text;

static void begin(void)
{
	figures = (struct figures){0};
	text = (struct buffer){0};
}

static void end(void)
{
	buffer_free(&text);
}

static void append(void)
{
	ck_assert(metrics_append(&text, &figures));
	ck_assert(buffer_append(&text, "", 1));
}

static void assert_line(const char *line)
{
	char whole[200];
	(void)snprintf(whole, sizeof whole, "\n%s\n", line);
	ck_assert_msg(strstr(text.bytes, whole) != NULL, "%s is not in\n%s", line, text.bytes);
}

START_TEST(each_number_has_its_name)
{
	figures.lines = 12345678901;
	figures.sent = 7;
	figures.refused = 3;
	figures.failing = ENOSPC;
	figures.survey.live = 2;
	figures.notes[NOTE_REFUSED_ADDRESS] = 5;
	append();
	assert_line("ackline_lines_received_total 12345678901");
	assert_line("ackline_answers_total{kind=\"sent\"} 7");
	assert_line("ackline_answers_total{kind=\"not_logged\"} 3");
	assert_line("ackline_log_failing 1");
	assert_line("ackline_connections 2");
	assert_line("ackline_connections_refused_total{reason=\"address\"} 5");
	assert_line("# TYPE ackline_lines_received_total counter");
}
END_TEST

START_TEST(buckets_of_a_histogram_add_up)
{
	figures.batch_lines.counts[distribution_bucket(1)] = 10;
	figures.batch_lines.counts[distribution_bucket(3)] = 5;
	figures.batch_lines.counts[distribution_bucket(1000000)] = 1;
	figures.batch_lines.sum = 1000025;
	figures.answer_time.counts[distribution_bucket(1500000)] = 4;
	figures.answer_time.sum = 6000000;
	append();
	assert_line("ackline_batch_lines_bucket{le=\"1\"} 10");
	assert_line("ackline_batch_lines_bucket{le=\"2\"} 10");
	assert_line("ackline_batch_lines_bucket{le=\"4\"} 15");
	assert_line("ackline_batch_lines_bucket{le=\"131072\"} 15");
	assert_line("ackline_batch_lines_bucket{le=\"+Inf\"} 16");
	assert_line("ackline_batch_lines_sum 1000025");
	assert_line("ackline_batch_lines_count 16");
	assert_line("ackline_answer_seconds_bucket{le=\"0.001048576\"} 0");
	assert_line("ackline_answer_seconds_bucket{le=\"0.001572864\"} 4");
	assert_line("ackline_answer_seconds_sum 0.006");
}
END_TEST

START_TEST(a_service_adds_its_own)
{
	figures.service[0] = (struct service_figure){"relay_backlog_lines", "Lines.", false, 17};
	figures.service_count = 1;
	append();
	assert_line("# TYPE ackline_relay_backlog_lines gauge");
	assert_line("ackline_relay_backlog_lines 17");
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("metrics");
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, each_number_has_its_name);
	tcase_add_test(all, buckets_of_a_histogram_add_up);
	tcase_add_test(all, a_service_adds_its_own);
	return unit_main("page_metrics", all, NULL);
}
