/* SPDX-License-Identifier: MIT */
#include "service/table.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

START_TEST(names_go_with_services)
{
	size_t i = 0;
	for (; services[i]; i++) {
		ck_assert(services[i]->name && *services[i]->name);
		ck_assert((services[i]->handler.answer != NULL) !=
			  (services[i]->handler.take != NULL));
		ck_assert((services[i]->start != NULL) == (services[i]->stop != NULL));
		ck_assert(services[i]->log && *services[i]->log);
		for (size_t other = 0; other < i; other++)
			ck_assert_str_ne(services[i]->name, services[other]->name);
	}
	ck_assert(i >= 1 && i <= SERVICES_MAX);
	ck_assert_str_eq(services[0]->name, "ok");
}
END_TEST

/* An answer to a line is one line, and not an empty one. In a chunked protocol, where a frame is
 * never empty, the line end may be part of both. */
START_TEST(every_answer_is_a_line)
{
	static const char *const lines[] = {"", "x", "Thread 3, iteration 1", "\r", "\x1b[31m"};
	for (size_t i = 0; services[i]; i++) {
		const struct handler *handler = &services[i]->handler;
		/* a service with a state needs a server */
		bool alone = handler->answer && !handler->open && !services[i]->start;
		for (size_t j = 0; alone && j < sizeof lines / sizeof *lines; j++) {
			size_t length = strlen(lines[j]), end = handler->protocol->chunked;
			char *line = malloc(length + 1); /* so that reading behind it is seen */
			memcpy(line, lines[j], length);
			line[length] = '\n';
			struct slice answer =
				handler->answer(NULL, &(struct frame){line, length, end});
			ck_assert_uint_gt(answer.length, 0);
			size_t ends = end && answer.bytes[answer.length - 1] == '\n';
			ck_assert_ptr_null(memchr(answer.bytes, '\n', answer.length - ends));
			free(line);
		}
	}
}
END_TEST

START_TEST(echo_says_the_same)
{
	static const char *const lines[] = {"\n", "a\r\n", "no end", "nul \0\xff\n"};
	static const size_t lengths[] = {1, 3, 6, 7};
	const struct service *echo = services[1];
	ck_assert_str_eq(echo->name, "echo");
	ck_assert(echo->handler.protocol == &protocol_chunks && echo->handler.notes_ends &&
		  echo->format == &record_milliseconds);
	ck_assert_str_eq(echo->log, "server.log");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		size_t end = lines[i][lengths[i] - 1] == '\n';
		const struct frame frame = {lines[i], lengths[i] - end, end};
		struct slice answer = echo->handler.answer(NULL, &frame);
		ck_assert_uint_eq(answer.length, lengths[i]);
		ck_assert_mem_eq(answer.bytes, lines[i], lengths[i]);
	}
}
END_TEST

START_TEST(ok_says_ok)
{
	const struct frame frames[] = {{"anything", 8, 0}, {NULL, 0, 0}};
	for (size_t i = 0; i < 2; i++)
		ck_assert(slice_equals(services[0]->handler.answer(NULL, &frames[i]), "ok"));
}
END_TEST

int main(void)
{
	TCase *table = tcase_create("service");
	tcase_add_test(table, names_go_with_services);
	tcase_add_test(table, every_answer_is_a_line);
	tcase_add_test(table, ok_says_ok);
	tcase_add_test(table, echo_says_the_same);
	return unit_main("service", table, NULL);
}
