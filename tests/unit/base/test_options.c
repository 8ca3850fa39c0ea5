/* SPDX-License-Identifier: MIT */
#include "base/options.h"
#include "base/program.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

struct settings {
	bool flag;
	const char *text, *single;
	int64_t number, duration;
	struct range range, counts;
	int64_t percent;
	int choice;
	int64_t special, descriptor, decimal;
};

#define AT(member) offsetof(struct settings, member)

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct option_spec specs[] = {
	{"flag", OPTION_FLAG, NULL, "a flag", .offset = AT(flag), .group = "Basics"},
	{"text", OPTION_TEXT, "WORDS", "some words [none]", .offset = AT(text)},
	{"number", OPTION_NUMBER, "N", "how many [5]", AT(number), .min = -10, .max = 100},
	{"duration", OPTION_DURATION, "TIME", "how long [1s]", AT(duration),
	 .min = CLOCK_MILLISECOND, .max = 10 * CLOCK_SECOND},
	{"range", OPTION_RANGE, "MIN:MAX", "between [0]", AT(range), .max = CLOCK_SECOND},
	{"counts", OPTION_COUNTS, "MIN:MAX", "so many [1]", AT(counts), .min = 1, .max = 50},
	{"share", OPTION_PERCENT, "SHARE", "of all [0%]", .offset = AT(percent)},
	{"special", OPTION_NUMBER, "N", "for some [0]", AT(special), .max = 9, .only = "tea,coffee",
	 .group = "Others"},
	{"colour", OPTION_CHOICE, "NAME", "which [red]", AT(choice), .choices = colours,
	 .group = "Basics"},
	{"colours", OPTION_NUMBER, "N", "a name that begins like another", AT(number), .max = 9},
	{"decimal", OPTION_DECIMAL, "N", "a fraction [1]", AT(decimal), .min = 500000,
	 .max = 20000000},
	{"open", OPTION_DESCRIPTOR, "FD", "a descriptor [none]", AT(descriptor), .min = 1,
	 .max = 1000},
	{"single", OPTION_TEXT, "WORDS", "once [none]", .offset = AT(single), .unique = true},
	{0},
};

static const struct option_table table = {
	.program = "tester", .synopsis = "Tests the options.", .specs = specs};

static struct settings settings;
static struct error error;

/* Reads a command line, words divided by one blank each; "''" stands for an empty word. */
static enum option_outcome read_line(const char *line)
{
	static char words[512];
	char *argv[32] = {(char[]){"/usr/bin/tester"}};
	int argc = 1;
	(void)snprintf(words, sizeof words, "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	settings = (struct settings){.number = 5, .duration = CLOCK_SECOND, .special = -1};
	error.message[0] = '\0';
	return options_read(&table, &settings, argc, argv, &error);
}

static void assert_wrong(const char *line, const char *words)
{
	ck_assert_msg(read_line(line) == OPTIONS_WRONG, "taken: %s", line);
	ck_assert_str_eq(error.message, words);
}

START_TEST(no_words_leave_the_defaults)
{
	ck_assert_int_eq(read_line(""), OPTIONS_READ);
	ck_assert_int_eq(settings.number, 5);
	ck_assert(!settings.flag);
	ck_assert_int_eq(read_line("--"), OPTIONS_READ);
}
END_TEST

START_TEST(all_kinds_are_stored)
{
	const char *const lines[] = {
		"-flag -text a=b -number -7 -duration 250ms -range 0:20ms -colour blue",
		"--flag --text a=b --number -7 --duration 250ms --range 0:20ms --colour blue",
		"-flag -text=a=b -number=-7 -duration=250ms -range=0:20ms -colour=blue",
		"-flag -text=a=b --number=-7 --duration=0.25 --range=0:0.02 --colour blue",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		ck_assert_msg(read_line(lines[i]) == OPTIONS_READ, "%s: %s", lines[i],
			      error.message);
		ck_assert(settings.flag);
		ck_assert_str_eq(settings.text, "a=b");
		ck_assert_int_eq(settings.number, -7);
		ck_assert_int_eq(settings.duration, 250 * CLOCK_MILLISECOND);
		ck_assert_int_eq(settings.range.min, 0);
		ck_assert_int_eq(settings.range.max, 20 * CLOCK_MILLISECOND);
		ck_assert_int_eq(settings.choice, 2);
	}
}
END_TEST

START_TEST(the_last_one_counts)
{
	ck_assert_int_eq(read_line("-number 1 -colour blue -number 2 -colour green"), OPTIONS_READ);
	ck_assert_int_eq(settings.number, 2);
	ck_assert_int_eq(settings.choice, 1);
	/* another name begins with that of -colour */
	ck_assert_int_eq(read_line("-colours 3"), OPTIONS_READ);
	ck_assert_int_eq(settings.number, 3);
	ck_assert_int_eq(read_line("-single a"), OPTIONS_READ);
	assert_wrong("-single a -flag --single=b", "-single: given twice");
}
END_TEST

START_TEST(a_value_may_look_like_an_option)
{
	ck_assert_int_eq(read_line("-text -flag"), OPTIONS_READ);
	ck_assert_str_eq(settings.text, "-flag");
	ck_assert(!settings.flag);
}
END_TEST

START_TEST(bad_words_are_named)
{
	assert_wrong("-nothing", "unknown option '-nothing'; see -help");
	assert_wrong("--nothing=5", "unknown option '--nothing=5'; see -help");
	/* a part of a name is no name: it could be meant for another option */
	assert_wrong("-f", "unknown option '-f'; see -help");
	assert_wrong("--num=3", "unknown option '--num=3'; see -help");
	assert_wrong("-hel", "unknown option '-hel'; see -help");
	assert_wrong("-v", "unknown option '-v'; see -help");
	assert_wrong("---flag", "unknown option '---flag'; see -help");
	assert_wrong("-=x", "unknown option '-=x'; see -help");
	assert_wrong("-colou red", "unknown option '-colou'; see -help");
	assert_wrong("-flag -x", "unknown option '-x'; see -help");
	assert_wrong("-number 1 -:", "unknown option '-:'; see -help");
	assert_wrong("-number 1 -:abc", "unknown option '-:abc'; see -help");
	assert_wrong("-+abc", "unknown option '-+abc'; see -help");
	assert_wrong("-number", "option '-number' needs a value; see -help");
	assert_wrong("-flag --duration", "option '--duration' needs a value; see -help");
	assert_wrong("-flag=yes", "option '-flag=yes' takes no value; see -help");
	assert_wrong("--flag=", "option '--flag=' takes no value; see -help");
	assert_wrong("-help=me", "option '-help=me' takes no value; see -help");
	assert_wrong("-version=1", "option '-version=1' takes no value; see -help");
	assert_wrong("word", "unexpected argument 'word'; see -help");
	assert_wrong("-flag word -number 1", "unexpected argument 'word'; see -help");
	assert_wrong("-flag yes", "unexpected argument 'yes'; see -help");
	assert_wrong("-", "unexpected argument '-'; see -help");
	assert_wrong("-- -flag", "unexpected argument '-flag'; see -help");
	assert_wrong("''", "unexpected argument ''; see -help");
}
END_TEST

START_TEST(bad_values_are_named)
{
	assert_wrong("-text ''", "-text: '' is not a value");
	assert_wrong("-text=", "-text: '' is not a value");
	assert_wrong("-number 101", "-number: '101' is not a whole number from -10 to 100");
	assert_wrong("-number ''", "-number: '' is not a whole number from -10 to 100");
	assert_wrong("-number=-11", "-number: '-11' is not a whole number from -10 to 100");
	assert_wrong("-duration 5x", "-duration: '5x' is not a duration such as 250ms, 5s or 2m");
	assert_wrong("-duration 11s", "-duration: '11s' is not between 1ms and 10s");
	assert_wrong("-duration 999999999999999d",
		     "-duration: '999999999999999d' is not between 1ms and 10s");
	assert_wrong("-duration 0", "-duration: '0' is not between 1ms and 10s");
	assert_wrong("-range 2s:1s", "-range: '2s:1s' is not a range of durations such as 0:20ms");
	assert_wrong("-range 0:2s", "-range: '0:2s' is not between 0 and 1s");
	assert_wrong("-colour pink", "-colour: 'pink' is not one of red, green, blue");
	assert_wrong("-colour Red", "-colour: 'Red' is not one of red, green, blue");
	assert_wrong("-colour ''", "-colour: '' is not one of red, green, blue");
}
END_TEST

START_TEST(counts_and_shares)
{
	ck_assert_int_eq(read_line("-counts 2:50 -share 12.5%"), OPTIONS_READ);
	ck_assert(settings.counts.min == 2 && settings.counts.max == 50);
	ck_assert_int_eq(settings.percent, 125000);
	ck_assert_int_eq(read_line("-counts 7 -share 0%"), OPTIONS_READ);
	ck_assert(settings.counts.min == 7 && settings.counts.max == 7);
	ck_assert_int_eq(settings.percent, 0);
	ck_assert_int_eq(read_line("-share 100%"), OPTIONS_READ);
	ck_assert_int_eq(settings.percent, 1000000);
	static const char *const bad_counts[] = {"0:5", "1:51", "5:1",
						 ":5",	"5:",	"1:2:3",
						 "1-5", "x",	"00000000000000000000000000001:5"};
	for (size_t i = 0; i < sizeof bad_counts / sizeof *bad_counts; i++) {
		char line[64], words[160];
		(void)snprintf(line, sizeof line, "-counts %s", bad_counts[i]);
		(void)snprintf(words, sizeof words,
			       "-counts: '%s' is not a range such as 1:20 of numbers from 1 to 50",
			       bad_counts[i]);
		assert_wrong(line, words);
	}
	static const char *const bad_shares[] = {"5",	  "%",	      "101%", "-1%", "1e1%",
						 "1..2%", "100.001%", ".5%",  "5.%", "5%%"};
	for (size_t i = 0; i < sizeof bad_shares / sizeof *bad_shares; i++) {
		char line[64], words[160];
		(void)snprintf(line, sizeof line, "-share %s", bad_shares[i]);
		(void)snprintf(words, sizeof words,
			       "-share: '%s' is not a percentage such as 10%% or 0.5%%",
			       bad_shares[i]);
		assert_wrong(line, words);
	}
}
END_TEST

START_TEST(decimals)
{
	static const char *const bad[] = {"0.4", "20.1", "x",	  "1e1", "1.",
					  ".5",	 "-1",	 "1.2.3", "5s",	 "999999999999999999"};
	ck_assert_int_eq(read_line("-decimal 0.5"), OPTIONS_READ);
	ck_assert_int_eq(settings.decimal, 500000);
	ck_assert_int_eq(read_line("-decimal 1.234567"), OPTIONS_READ);
	ck_assert_int_eq(settings.decimal, 1234567);
	ck_assert_int_eq(read_line("-decimal 20"), OPTIONS_READ);
	ck_assert_int_eq(settings.decimal, 20000000);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[64], words[160];
		(void)snprintf(line, sizeof line, "-decimal %s", bad[i]);
		(void)snprintf(words, sizeof words,
			       "-decimal: '%s' is not a number from 0.5 to 20 with up to six "
			       "digits behind the point",
			       bad[i]);
		assert_wrong(line, words);
	}
}
END_TEST

START_TEST(a_descriptor_must_be_open)
{
	ck_assert_int_eq(read_line("-open 2"), OPTIONS_READ);
	ck_assert_int_eq(settings.descriptor, 2);
	assert_wrong("-open 999", "-open: '999' is not an open descriptor");
	assert_wrong("-open 0", "-open: '0' is not a whole number from 1 to 1000");
	assert_wrong("-open two", "-open: 'two' is not a whole number from 1 to 1000");
}
END_TEST

START_TEST(what_is_for_other_services_is_refused)
{
	ck_assert_int_eq(read_line("-number 3"), OPTIONS_READ);
	ck_assert_int_eq(options_check_service(&table, &settings, "water", &error), 0);
	ck_assert_int_eq(read_line("-special 0"), OPTIONS_READ);
	ck_assert_int_eq(options_check_service(&table, &settings, "tea", &error), 0);
	ck_assert_int_eq(options_check_service(&table, &settings, "coffee", &error), 0);
	static const char *const others[] = {"water", "te", "teas", "cof", "ea"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		ck_assert_int_eq(options_check_service(&table, &settings, others[i], &error), -1);
		ck_assert_str_eq(error.message, "-special: only with -service tea or coffee");
	}
	ck_assert(option_suits(option_find(&table, "number"), "water"));
	ck_assert(!option_suits(option_find(&table, "special"), "water"));
}
END_TEST

START_TEST(long_words_are_cut_in_messages)
{
	char line[512] = "-number ";
	memset(line + strlen(line), '9', 300);
	ck_assert_int_eq(read_line(line), OPTIONS_WRONG);
	ck_assert_uint_lt(strlen(error.message), 200);
	ck_assert_int_eq(strncmp(error.message, "-number: '9999", 14), 0);
}
END_TEST

START_TEST(entries_are_found_by_their_exact_name)
{
	ck_assert_ptr_eq(option_find(&table, "colours"), &specs[9]);
	ck_assert_ptr_null(option_find(&table, "colou"));
	ck_assert_ptr_null(option_find(&table, ""));
	struct option_spec unknown = specs[0];
	unknown.kind = (enum option_kind)99;
	ck_assert_int_eq(option_store(&unknown, &settings, "1", &error), -1);
	ck_assert_str_eq(error.message, "-flag: unknown kind of option");
}
END_TEST

START_TEST(help_tells_every_option)
{
	int kept = redirect(STDOUT_FILENO, "out");
	enum option_outcome outcome = read_line("-flag -help -nonsense");
	restore(STDOUT_FILENO, kept);
	ck_assert_int_eq(outcome, OPTIONS_SHOWN);
	char *help = file_read("out", NULL);
	ck_assert_int_eq(strncmp(help, "Usage: tester [OPTION]...\nTests the options.\n", 45), 0);
	ck_assert_uint_eq(count_of(help, "\n  -"), 15);
	ck_assert_ptr_nonnull(strstr(help, "\n  -flag                  a flag\n"));
	ck_assert_ptr_nonnull(strstr(help, "\n  -duration TIME         how long [1s]\n"));
	ck_assert_ptr_nonnull(strstr(help, "\n\nBasics:\n  -flag "));
	ck_assert_ptr_nonnull(strstr(help, "\n  -colour NAME           which [red]\n"));
	ck_assert_ptr_nonnull(
		strstr(help, "\n\nOthers:\n  -special N             for some [0]\n\nHelp:\n"));
	ck_assert_ptr_nonnull(strstr(help, "\n  -help "));
	ck_assert_ptr_nonnull(strstr(help, "\n  -version "));
	free(help);
}
END_TEST

START_TEST(version_is_one_line)
{
	int kept = redirect(STDOUT_FILENO, "out");
	enum option_outcome outcome = read_line("--version");
	restore(STDOUT_FILENO, kept);
	ck_assert_int_eq(outcome, OPTIONS_SHOWN);
	char *version = file_read("out", NULL);
	ck_assert_int_eq(strncmp(version, "tester (ackline) ", 17), 0);
	ck_assert_uint_eq(count_of(version, "\n"), 1);
	free(version);
}
END_TEST

START_TEST(help_that_cannot_be_shown_fails)
{
	int kept = redirect(STDOUT_FILENO, "/dev/full");
	enum option_outcome help = read_line("-help");
	restore(STDOUT_FILENO, kept);
	clearerr(stdout);
	ck_assert_int_eq(help, OPTIONS_NOT_SHOWN);
	ck_assert_str_eq(error.message, "cannot write to stdout: No space left on device");
}
END_TEST

START_TEST(complaints_go_to_stderr)
{
	int kept = redirect(STDERR_FILENO, "err");
	program_complain("tester", "cannot do it\n\x1b[31m\x7f\t\u00b5");
	restore(STDERR_FILENO, kept);
	char *complaint = file_read("err", NULL);
	ck_assert_str_eq(complaint, "tester: cannot do it??[31m??\u00b5\n");
	free(complaint);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *words = tcase_create("words");
	tcase_add_test(words, no_words_leave_the_defaults);
	tcase_add_test(words, all_kinds_are_stored);
	tcase_add_test(words, the_last_one_counts);
	tcase_add_test(words, a_value_may_look_like_an_option);
	tcase_add_test(words, bad_words_are_named);
	tcase_add_test(words, bad_values_are_named);
	tcase_add_test(words, counts_and_shares);
	tcase_add_test(words, decimals);
	tcase_add_test(words, a_descriptor_must_be_open);
	tcase_add_test(words, what_is_for_other_services_is_refused);
	tcase_add_test(words, long_words_are_cut_in_messages);
	tcase_add_test(words, entries_are_found_by_their_exact_name);
	TCase *output = tcase_create("output");
	tcase_add_checked_fixture(output, scratch_enter, NULL);
	tcase_add_test(output, help_tells_every_option);
	tcase_add_test(output, version_is_one_line);
	tcase_add_test(output, help_that_cannot_be_shown_fails);
	tcase_add_test(output, complaints_go_to_stderr);
	int status = unit_main("options", words, output, NULL);
	scratch_remove();
	return status;
}
