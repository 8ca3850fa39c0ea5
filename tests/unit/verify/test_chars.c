/* SPDX-License-Identifier: MIT */
/* The accounts of clients of chars, and the proof of their runs. */
#include "verify/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "measure/client_result_writer.h"
#include "rotated.h"
#include "support.h"
#include "unit.h"

#define LOG "v.log"
#define A "127.0.0.1:4000"
#define B "127.0.0.1:4001"
#define C "10.0.0.9:7"
#define RECORD "INFO\t| 2019-02-24 15:10:14.123 --"
#define ALL(text) RECORD "everyone sent: chars " text "\n"
#define IN(peer) RECORD peer " connected\n"
#define ASKS(peer) RECORD peer " received: stat\n"
#define TOLD(peer, n) RECORD peer " sent: stat " #n "\n"
#define END(n, r) RECORD "server " #n " characters generated, " #r " since the last stat\n"

/* What a client says that it has got: messages separated by blanks. */
struct told {
	const char *name, *messages;
	uint64_t before, stats, counted;
};

static void compose(const struct told *told, char text[512])
{
	struct chars_result account = {
		.before = told->before, .stats = told->stats, .counted = told->counted};
	int ends[2];
	(void)strcpy(account.name, told->name);
	for (const char *at = told->messages; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		chars_sum_add(&account.got, (struct slice){at, length});
		at += length;
	}
	struct error error;
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(chars_result_write(&account, ends[1], &error));
	ssize_t length = read(ends[0], text, 511);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	(void)close(ends[0]);
}

static struct verdict prove(const char *log, const struct told told[2])
{
	char text[512];
	struct client_result results[2] = {{0}};
	struct error error = {""};
	struct verdict verdict;
	size_t count = 0;
	if (log)
		file_write(LOG, log);
	for (; count < 2 && told[count].name; count++) {
		compose(&told[count], text);
		ck_assert_int_eq(client_result_read(&results[count], text, strlen(text), &error),
				 0);
	}
	const struct verify_job run = {.log = LOG, .client_results = results, .clients = count};
	ck_assert_msg(verify_chars(&run, &verdict, &error) == 0, "%s", error.message);
	return verdict;
}

/* Client A is there from the second message to the fourth, B for all of them. */
static const char whole[] = IN(B) ALL("ab") IN(A) ALL("c") ASKS(B) ALL("def") TOLD(B, 3) ASKS(A)
	ALL("gh") TOLD(A, 3) ASKS(A) TOLD(A, 2) ASKS(B) TOLD(B, 0) ALL("i") END(9, 1);
#define WHOLE_A                                                                                    \
	{                                                                                          \
		A, "c def gh", 2, 2, 5                                                             \
	}
#define WHOLE_B                                                                                    \
	{                                                                                          \
		B, "ab c def gh", 2, 2, 3                                                          \
	}

static const struct {
	const char *log;
	struct told told[2];
	const char *words;
} good[] = {
	{whole,
	 {WHOLE_A, WHOLE_B},
	 "9 characters in 5 messages; each of 2 clients received all of them while it was "
	 "connected; 4 "
	 "stat answers add up to 8, and 1 came later"},
	{whole,
	 {WHOLE_B, WHOLE_A},
	 "9 characters in 5 messages; each of 2 clients received all of them while it was "
	 "connected; 4 "
	 "stat answers add up to 8, and 1 came later"},
	/* a message may come that was recorded before the connection was */
	{whole,
	 {{A, "ab c def gh", 3, 2, 5}},
	 "9 characters in 5 messages; each of 1 client received all of them while it was "
	 "connected; 4 "
	 "stat answers add up to 8, and 1 came later"},
	/* somebody else has asked, too; an escape is one character */
	{IN(A) ALL("\\x5cx") ASKS(C) TOLD(C, 2) ASKS(A) TOLD(A, 0) END(2, 0),
	 {{A, "\\x", 1, 1, 0}},
	 "2 characters in 1 message; each of 1 client received all of them while it was "
	 "connected; 2 "
	 "stat answers add up to 2, and 0 came later"},
};

START_TEST(good_run_is_proved_over_files)
{
	for (size_t lines = 0; write_rotated(LOG, good[_i].log, lines); lines++) {
		struct verdict verdict = prove(NULL, good[_i].told);
		ck_assert_str_eq(as_one(verdict.message), good[_i].words);
		ck_assert(verdict.good && verdict.complete);
	}
}
END_TEST

START_TEST(good_run_is_proved)
{
	struct verdict verdict = prove(good[_i].log, good[_i].told);
	ck_assert_str_eq(verdict.message, good[_i].words);
	ck_assert(verdict.good && verdict.complete);
}
END_TEST

static const struct {
	const char *log;
	struct told told[2];
	const char *words;
} bad[] = {
	{whole,
	 {{A, "c gh", 1, 2, 5}},
	 "client 1: it got 1 message before its first answer, of the 2 that were sent since it "
	 "was connected"},
	{whole, {{A, "c def", 2, 2, 5}}, "client 1: it got 2 of 3 messages"},
	{whole,
	 {{A, "c def def gh", 3, 2, 5}},
	 "client 1: the 9 characters that it got are not those that were sent"},
	{whole, {{A, "c def gh gh", 2, 2, 5}}, "client 1: it got 4 of 3 messages"},
	{whole,
	 {{A, "def c gh", 2, 2, 5}},
	 "client 1: the 6 characters that it got are not those that were sent"},
	{whole,
	 {{A, "c dEf gh", 2, 2, 5}},
	 "client 1: the 6 characters that it got are not those that were sent"},
	{whole,
	 {{A, "cd ef gh", 2, 2, 5}},
	 "client 1: the 6 characters that it got are not those that were sent"},
	{whole,
	 {{A, "z ab c def gh", 4, 2, 5}},
	 "client 1: it got 4 messages before its first answer, of the 2 that were sent since it "
	 "was connected"},
	{whole,
	 {WHOLE_B, {A, "c def gh", 2, 1, 3}},
	 "client 2: it got 1 answer that counts 3, but the log has 2 that count 5"},
	{whole,
	 {{A, "c def gh", 2, 2, 6}},
	 "client 1: it got 2 answers that count 6, but the log has 2 that count 5"},
	{whole, {{A, "c def gh", 0, 0, 0}}, "client 1: it received no answer"},
	{whole, {{"127.0.0.1:9", "c def gh", 2, 2, 5}}, "client 1: " VERDICT_NO_ADDRESS},
	{ALL("ab") ASKS(A) TOLD(A, 2) END(2, 0),
	 {{A, "ab", 1, 1, 2}},
	 "client 1: its connection is not in the log"},
	{IN(A) ALL("ab") ASKS(A) TOLD(A, 3) END(2, 0),
	 {{A, "ab", 1, 1, 3}},
	 "1 stat answer adds up to 3 characters, and 0 came later, but 2 were generated"},
	{IN(A) ALL("ab") ASKS(A) TOLD(A, 2) END(2, 1),
	 {{A, "ab", 1, 1, 2}},
	 "1 stat answer adds up to 2 characters, and 1 came later, but 2 were generated"},
	{IN(A) ALL("ab") ASKS(A) TOLD(A, 2) ASKS(C) TOLD(C, 2) END(2, 0),
	 {{A, "ab", 1, 1, 2}},
	 "2 stat answers add up to 4 characters, and 0 came later, but 2 were generated"},
	{IN(A) ALL("ab") ASKS(A) TOLD(A, 2) END(3, 1),
	 {{A, "ab", 1, 1, 2}},
	 "3 characters were generated, 2 are in the log"},
	{IN(A) ALL("ab") ASKS(A) TOLD(A, 2),
	 {{A, "ab", 1, 1, 2}},
	 "the log has no note on the characters generated"},
	{IN(A) ASKS(A) TOLD(A, 0) END(0, 0),
	 {{A, "", 0, 1, 0}},
	 "no characters were generated, which proves nothing"},
};

START_TEST(fault_is_named)
{
	struct verdict verdict = prove(bad[_i].log, bad[_i].told);
	ck_assert(!verdict.good);
	ck_assert_str_eq(verdict.message, bad[_i].words);
}
END_TEST

START_TEST(a_client_without_a_result_is_named)
{
	struct client_result result = {0};
	const struct verify_job run = {.log = LOG, .client_results = &result, .clients = 1};
	struct verdict verdict;
	struct error error;
	file_write(LOG, whole);
	ck_assert_int_eq(verify_chars(&run, &verdict, &error), 0);
	ck_assert(!verdict.good);
	ck_assert_str_eq(verdict.message, "client 1: no complete result");
}
END_TEST

/* No result, or one that is not complete. */
static const struct {
	const char *text;
	bool damaged;
} no_result[] = {
	{"", false},
	{"chars " A " 1 2 255 1 1 2\n", false},
	{"chars " A " 1 2 255 1 1 2\nend", false},
	{"chars " A " 1 2 255 1 1 2\nend\nend\n", true},
	{"chars " A " 1 2 255 1 1 2\nchars " A " 1 2 255 1 1 2\nend\n", true},
	{"chars " A " 1 2 255 1 1\nend\n", true},
	{"chars " A " 1 2 255 1 1 2 3\nend\n", true},
	{"chars " A " 1 2 ff 1 1 2\nend\n", true},
	{"chars " A " 1 2 255 2 1 2\nend\n", true}, /* more before than in all */
	{"end\n", true},
};

START_TEST(result_without_its_end_is_none)
{
	struct client_result result = {0};
	struct error error;
	ck_assert_int_eq(
		client_result_read(&result, no_result[_i].text, strlen(no_result[_i].text), &error),
		no_result[_i].damaged ? -1 : 0);
	ck_assert(!result.complete);
	client_result_free(&result);
}
END_TEST

START_TEST(result_is_read_as_it_was_written)
{
	static const struct told told = {"[2001:db8::1%eth0]:65535", "ab c", 1, 2, 3};
	struct client_result result = {0};
	struct chars_sum sum = {0};
	struct error error;
	char text[512];
	compose(&told, text);
	ck_assert_int_eq(client_result_read(&result, text, strlen(text), &error), 0);
	ck_assert(result.complete);
	const struct chars_result account = result.chars;
	chars_sum_add(&sum, slice_of("ab"));
	chars_sum_add(&sum, slice_of("c"));
	ck_assert_str_eq(account.name, told.name);
	ck_assert_uint_eq(account.got.messages, 2);
	ck_assert_uint_eq(account.got.characters, 3);
	ck_assert_uint_eq(account.got.digest, sum.digest);
	ck_assert_uint_eq(account.before, 1);
	ck_assert_uint_eq(account.stats, 2);
	ck_assert_uint_eq(account.counted, 3);
	client_result_free(&result);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *cases = tcase_create("chars");
	scratch_make();
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_loop_test(cases, good_run_is_proved, 0, COUNT(good));
	tcase_add_loop_test(cases, good_run_is_proved_over_files, 0, COUNT(good));
	tcase_add_loop_test(cases, fault_is_named, 0, COUNT(bad));
	tcase_add_test(cases, a_client_without_a_result_is_named);
	tcase_add_loop_test(cases, result_without_its_end_is_none, 0, COUNT(no_result));
	tcase_add_test(cases, result_is_read_as_it_was_written);
	int status = unit_main("verify_chars", cases, NULL);
	scratch_remove();
	return status;
}
