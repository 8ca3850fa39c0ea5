/* SPDX-License-Identifier: MIT */
/* The protocols of the load generator: what is an acknowledgement, what is none, and that an answer
 * may come in any pieces. */
#include "../../../bench/protocols.h"

#include <string.h>

#include "unit.h"

enum { ANSWERS = 24, NAMES = 6 };

static const struct {
	const char *protocol;
	enum answer_kind kind;
	const char *answer;
} answers[ANSWERS] = {
	{"line", ANSWER_ACKNOWLEDGED, "ok\n"},
	{"line", ANSWER_REFUSED, "error: not logged: No space left on device\n"},
	{"line", ANSWER_REFUSED, "okay\n"},
	{"once", ANSWER_ACKNOWLEDGED, "ok\n"},
	{"once", ANSWER_REFUSED, "had\n"},
	{"redis", ANSWER_ACKNOWLEDGED, "$15\r\n1526919030474-0\r\n"},
	{"redis", ANSWER_REFUSED, "-MISCONF Errors writing to the AOF file\r\n"},
	{"redis", ANSWER_NONSENSE, ":1\r\n"},
	{"redis", ANSWER_NONSENSE, "$-1\r\n"},
	{"beanstalk", ANSWER_ACKNOWLEDGED, "INSERTED 17\r\n"},
	{"beanstalk", ANSWER_REFUSED, "BURIED 17\r\n"},
	{"beanstalk", ANSWER_REFUSED, "OUT_OF_MEMORY\r\n"},
	{"relp", ANSWER_ACKNOWLEDGED, "2 rsp 6 200 OK\n"},
	{"relp", ANSWER_REFUSED, "2 rsp 9 500 error\n"},
	{"relp", ANSWER_NONSENSE, "3 rsp 6 200 OK\n"},
	{"relp", ANSWER_NONSENSE, "0 serverclose 0\n"},
	{"relp", ANSWER_NONSENSE, "2 rsp x 200 OK\n"},
	{"nats", ANSWER_ACKNOWLEDGED, "MSG _INBOX.0 1 27\r\n{\"stream\":\"LINES\", \"seq\":1}\r\n"},
	{"nats", ANSWER_REFUSED,
	 "MSG _INBOX.0 1 43\r\n{\"error\":{\"code\":503},\"stream\":\"L\",\"seq\":0}\r\n"},
	{"nats", ANSWER_REFUSED, "-ERR 'Maximum Payload Violation'\r\n"},
	{"nats", ANSWER_ASIDE, "PING\r\n"},
	{"nats", ANSWER_ASIDE, "INFO {\"server_id\":\"x\"}\r\n"},
	{"nats", ANSWER_NONSENSE, "HMSG _INBOX.0 1 2 3\r\nabc\r\n"},
	{"nats", ANSWER_NONSENSE, "MSG\r\n"},
};

START_TEST(reads_answers)
{
	const struct protocol *protocol = protocol_find(answers[_i].protocol);
	const char *bytes = answers[_i].answer;
	struct answer answer = protocol->read_answer(bytes, strlen(bytes), 0);
	ck_assert_msg(answer.kind == answers[_i].kind, "%s: %d", bytes, (int)answer.kind);
	if (answer.kind != ANSWER_NONSENSE)
		ck_assert_uint_eq(answer.length, strlen(bytes));
}
END_TEST

/* Whatever is missing of an answer: it is not one yet. */
START_TEST(waits_for_the_rest)
{
	const struct protocol *protocol = protocol_find(answers[_i].protocol);
	size_t length = strlen(answers[_i].answer);
	if (answers[_i].kind == ANSWER_NONSENSE)
		return;
	for (size_t part = 1; part < length; part++) {
		struct answer answer = protocol->read_answer(answers[_i].answer, part, 0);
		ck_assert_msg(answer.kind == ANSWER_PARTIAL, "%.*s: %d", (int)part,
			      answers[_i].answer, (int)answer.kind);
	}
}
END_TEST

START_TEST(takes_one_answer_of_two)
{
	const struct protocol *protocol = protocol_find("redis");
	const char *bytes = "$3\r\n1-0\r\n$3\r\n1-1\r\n";
	ck_assert_uint_eq(protocol->read_answer(bytes, strlen(bytes), 0).length, 9);
}
END_TEST

START_TEST(answers_a_ping)
{
	struct answer answer = protocol_find("nats")->read_answer("PING\r\nMSG", 9, 0);
	ck_assert_int_eq(answer.kind, ANSWER_ASIDE);
	ck_assert_uint_eq(answer.length, 6);
	ck_assert_str_eq(answer.reply, "PONG\r\n");
}
END_TEST

START_TEST(numbers_relp_frames)
{
	const struct protocol *relp = protocol_find("relp");
	char request[PROTOCOL_REQUEST_SIZE];
	size_t length = relp->compose(request, 7, 41);
	ck_assert_uint_eq(length, strlen("43 syslog 26 <13>Thread 7, iteration 42\n"));
	ck_assert_mem_eq(request, "43 syslog 26 <13>Thread 7, iteration 42\n", length);
	ck_assert_int_eq(relp->read_answer("43 rsp 6 200 OK\n", 16, 41).kind, ANSWER_ACKNOWLEDGED);
	/* the last number, and the first one again */
	length = relp->compose(request, 0, 999999997);
	ck_assert_mem_eq(request, "999999999 syslog ", 17);
	length = relp->compose(request, 0, 999999998);
	ck_assert_mem_eq(request, "2 syslog ", 9);
}
END_TEST

START_TEST(greets_until_welcome)
{
	const struct protocol *nats = protocol_find("nats"), *relp = protocol_find("relp");
	const char *info = "INFO {}\r\nPONG\r\n";
	ck_assert_int_eq(nats->read_greeting(info, 15).kind, ANSWER_ASIDE);
	ck_assert_int_eq(nats->read_greeting(info + 9, 6).kind, ANSWER_ACKNOWLEDGED);
	ck_assert_int_eq(nats->read_greeting("-ERR 'no'\r\n", 11).kind, ANSWER_REFUSED);
	ck_assert_int_eq(nats->read_greeting("MSG x\r\n", 7).kind, ANSWER_NONSENSE);
	ck_assert_int_eq(relp->read_greeting("1 rsp 20 200 OK\nrelp_version", 28).kind,
			 ANSWER_PARTIAL);
	ck_assert_int_eq(relp->read_greeting("1 rsp 6 200 OK\n", 15).kind, ANSWER_ACKNOWLEDGED);
}
END_TEST

/* The longest number and connection fit in a request. */
START_TEST(requests_fit)
{
	static const char *const names[NAMES] = {"line",      "once", "redis",
						 "beanstalk", "relp", "nats"};
	char request[PROTOCOL_REQUEST_SIZE];
	size_t length = protocol_find(names[_i])->compose(request, 99999, UINT64_MAX - 1);
	ck_assert_uint_lt(length, PROTOCOL_REQUEST_SIZE);
	ck_assert_int_eq(request[length - 1], '\n');
	ck_assert_ptr_nonnull(strstr(protocol_names(), names[_i]));
}
END_TEST

int main(void)
{
	TCase *reading = tcase_create("reading");
	tcase_add_loop_test(reading, reads_answers, 0, ANSWERS);
	tcase_add_loop_test(reading, waits_for_the_rest, 0, ANSWERS);
	tcase_add_test(reading, takes_one_answer_of_two);
	tcase_add_test(reading, answers_a_ping);
	tcase_add_test(reading, numbers_relp_frames);
	tcase_add_test(reading, greets_until_welcome);
	tcase_add_loop_test(reading, requests_fit, 0, NAMES);
	return unit_main("protocols", reading, NULL);
}
