/* SPDX-License-Identifier: MIT */
/* The proof of a chain: what is in the last log is what is in the first, in order. */
#include "verify/relay_chain.h"

#include <stdio.h>
#include <string.h>

#include "rotated.h"
#include "support.h"
#include "unit.h"

#define TIME "2019-02-24 15:10:14.000123"
#define GOT(line) "INFO\t| " TIME " --127.0.0.1:4000 received: " line "\n"
#define SENT "INFO\t| " TIME " --127.0.0.1:4000 sent: ok\n"
#define ACKED "INFO\t| " TIME " --127.0.0.1:7001 acknowledged up to 1\n"
#define HEAD(id) #id " | " TIME " | " TIME " | "
#define ONCE(id, line) GOT(HEAD(id) line)

static struct verdict prove(const char *server, const char *process, const char *save,
			    int64_t planned, bool worked, bool appended)
{
	struct error error;
	struct verdict verdict;
	static const char *const names[] = {"server.log", "process.log", "save.log"};
	const char *const logs[] = {server, process, save};
	for (size_t i = 0; i < 3; i++)
		if (logs[i])
			file_write(names[i], logs[i]);
	const struct verify_chain chain = {.logs = {"server.log", "process.log", "save.log"},
					   .names = {"server", "process", "save"},
					   .worked = worked,
					   .planned = planned,
					   .appended = appended};
	ck_assert_msg(verify_chain(&chain, &verdict, &error) == 0, "%s", error.message);
	return verdict;
}

#define SERVER GOT("a") SENT GOT("b | x\\x1b") GOT("c")
#define PROCESS ONCE(1, "a") ACKED ONCE(2, "b | x\\x1b") ONCE(3, "c")
#define SAVE ONCE(1, HEAD(1) "a") ONCE(2, HEAD(2) "b | x\\x1b") ONCE(3, HEAD(3) "c")

START_TEST(logs_in_two_files_are_good)
{
	struct verdict verdict;
	file_write("server.log", SERVER);
	file_write("process.log", PROCESS);
	for (size_t lines = 0; write_rotated("save.log", SAVE, lines); lines++) {
		(void)write_rotated("server.log", SERVER, lines);
		(void)write_rotated("process.log", PROCESS, lines);
		verdict = prove(NULL, NULL, NULL, 3, false, false);
		ck_assert_str_eq(verdict.message, "3 lines received, 3 saved in the order of their "
						  "arrival, 0 twice");
	}
	ck_assert_int_eq(remove("server.log.1") + remove("save.log.1"), 0);
	verdict = prove(NULL, NULL, NULL, 3, false, false);
	ck_assert_str_eq(verdict.message,
			 "process.log.1, line 1: it is not as it was received: line 1 of server; 2 "
			 "lines received, 1 saved; server.log.1 is missing: what is proved begins "
			 "behind it; save.log.1 is missing: what is proved begins behind it");
}
END_TEST

START_TEST(what_is_in_order_is_good)
{
	struct verdict verdict = prove(SERVER, PROCESS, SAVE, 3, false, false);
	ck_assert_str_eq(verdict.message,
			 "3 lines received, 3 saved in the order of their arrival, 0 twice");
	ck_assert(verdict.good && verdict.complete);
	verdict = prove("", "", "", 3, false, false);
	ck_assert_str_eq(verdict.message,
			 "0 lines received, 0 saved in the order of their arrival, "
			 "0 twice; 3 were planned");
	ck_assert(verdict.good && !verdict.complete);
	ck_assert(prove(SERVER, PROCESS, SAVE, 2, false, true).complete);
	ck_assert(!prove(SERVER, PROCESS, SAVE, 2, false, false).complete);
	ck_assert(!prove(SERVER, PROCESS, SAVE, 4, false, true).complete);
}
END_TEST

START_TEST(what_came_again_is_counted)
{
	/* 2 came again to process, which numbers it anew; its 4 came again to save */
	struct verdict verdict = prove(
		SERVER, ONCE(1, "a") ONCE(2, "b | x\\x1b") ONCE(2, "b | x\\x1b") ONCE(3, "c"),
		ONCE(1, HEAD(1) "a") ONCE(2, HEAD(2) "b | x\\x1b") ONCE(3, HEAD(2) "b | x\\x1b")
			ONCE(4, HEAD(3) "c") ONCE(4, HEAD(3) "c"),
		3, false, false);
	ck_assert_str_eq(verdict.message,
			 "3 lines received, 3 saved in the order of their arrival, 2 twice");
	ck_assert(verdict.good && verdict.complete);
}
END_TEST

START_TEST(work_changes_lines)
{
	static const char worked[] = ONCE(1, "A") ONCE(2, "") ONCE(3, "C C");
	ck_assert(prove(SERVER, PROCESS, worked, 3, true, false).good);
	ck_assert(!prove(SERVER, PROCESS, worked, 3, false, false).good);
	/* but not before there was any */
	ck_assert(!prove(SERVER, ONCE(1, "A") ONCE(2, "b | x\\x1b") ONCE(3, "c"), worked, 3, true,
			 false)
			   .good);
}
END_TEST

static const struct {
	const char *server, *process, *save, *words;
} bad[] = {
	{SERVER, PROCESS, ONCE(1, HEAD(1) "a") ONCE(2, HEAD(2) "b | x\\x1b"),
	 "line 3 of process is missing in save.log; 3 lines received, 2 saved"},
	{SERVER, ONCE(1, "a") ONCE(2, "b | x\\x1b"),
	 ONCE(1, HEAD(1) "a") ONCE(2, HEAD(2) "b | x\\x1b"),
	 "line 3 of server is missing in process.log; 3 lines received, 2 saved"},
	{SERVER, PROCESS, ONCE(1, HEAD(1) "a") ONCE(3, HEAD(3) "c") ONCE(2, HEAD(2) "b | x\\x1b"),
	 "save.log, line 2: out of order or missing before it: line 2 of process; 3 lines "
	 "received, 3 saved"},
	{SERVER, ONCE(1, "a") ONCE(3, "c") ONCE(2, "b | x\\x1b"), SAVE,
	 "process.log, line 2: out of order or missing before it: line 2 of server; 3 "
	 "lines received, 3 saved"},
	{SERVER, PROCESS, SAVE ONCE(4, HEAD(4) "d"),
	 "save.log, line 4: it was never received: line 4 of process; 3 lines received, 4 "
	 "saved"},
	{SERVER, PROCESS, ONCE(1, HEAD(1) "a") ONCE(2, HEAD(2) "b | y\\x1b") ONCE(3, HEAD(3) "c"),
	 "save.log, line 2: it is not as it was received: line 2 of process; 3 lines "
	 "received, 3 saved"},
	{SERVER, PROCESS, ONCE(1, HEAD(1) "a") GOT("hello") ONCE(2, HEAD(2) "b | x\\x1b"),
	 "save.log, line 2: not a forwarded line: line 2 of process; "
	 "3 lines received, 3 saved"},
};

START_TEST(each_fault_is_named)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct verdict verdict =
			prove(bad[i].server, bad[i].process, bad[i].save, 3, false, false);
		ck_assert_msg(!strcmp(verdict.message, bad[i].words), "%s\ninstead of %s",
			      verdict.message, bad[i].words);
		ck_assert(!verdict.good && !verdict.complete);
	}
}
END_TEST

START_TEST(lines_that_are_still_to_arrive_are_told_from_faults)
{
	static const char less[] = ONCE(1, HEAD(1) "a");
	ck_assert(prove(SERVER, PROCESS, less, 3, false, false).pending);
	ck_assert(prove(SERVER, ONCE(1, "a"), less, 3, false, false).pending);
	ck_assert(prove(SERVER, "", "", 3, false, false).pending);
	ck_assert(!prove(SERVER, PROCESS, SAVE, 3, false, false).pending);
	ck_assert(!prove(SERVER, ONCE(1, "a"), SAVE, 3, false, false).pending);
	ck_assert(!prove(SERVER, ONCE(2, "a"), "", 3, false, false).pending);
}
END_TEST

START_TEST(fields_are_exact)
{
	static const char *const wrong[] = {
		"1",
		"1 | ",
		"x | " TIME " | " TIME " | a",
		"-1 | " TIME " | " TIME " | a",
		"0 | " TIME " | " TIME " | a",
		"1 |" TIME " | " TIME " | a",
		"1 | " TIME " | " TIME " a",
		"1 | " TIME " | a",
		"1 | " TIME " | " TIME,
		"11111111111111111111111111 | " TIME " | " TIME " | a",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char log[512];
		(void)snprintf(log, sizeof log, GOT("%s"), wrong[i]);
		ck_assert_msg(strstr(prove(GOT("a"), log, "", 1, false, false).message,
				     "not a forwarded line") != NULL,
			      "taken: %s", wrong[i]);
	}
	ck_assert(prove(GOT(""), GOT(HEAD(1)), GOT(HEAD(1) HEAD(1)), 1, false, false).good);
}
END_TEST

START_TEST(a_log_that_is_not_there_is_named)
{
	struct error error;
	struct verdict verdict;
	const struct verify_chain chain = {.logs = {"server.log", "process.log", "save.log"},
					   .names = {"server", "process", "save"}};
	file_write("server.log", SERVER);
	file_write("process.log", PROCESS);
	ck_assert_int_eq(verify_chain(&chain, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read save.log: No such file or directory");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("verify_relay");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, logs_in_two_files_are_good);
	tcase_add_test(cases, what_is_in_order_is_good);
	tcase_add_test(cases, what_came_again_is_counted);
	tcase_add_test(cases, work_changes_lines);
	tcase_add_test(cases, each_fault_is_named);
	tcase_add_test(cases, lines_that_are_still_to_arrive_are_told_from_faults);
	tcase_add_test(cases, fields_are_exact);
	tcase_add_test(cases, a_log_that_is_not_there_is_named);
	int status = unit_main("verify_relay", cases, NULL);
	scratch_remove();
	return status;
}
