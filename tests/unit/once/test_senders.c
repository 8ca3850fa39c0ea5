/* SPDX-License-Identifier: MIT */
#include "once/senders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "once/fnv.h"
#include "once/words.h"
#include "unit.h"

static struct senders senders;
static int one, other; /* connections */

static void begin(void)
{
	senders = (struct senders){.max = 3};
}

static struct sender *add(const char *name)
{
	struct sender *sender = senders_add(&senders, slice_of(name));
	ck_assert_ptr_nonnull(sender);
	return sender;
}

/* A sender that has stored lines up to that one. */
static struct sender *add_stored(const char *name, uint64_t last)
{
	struct sender *sender = add(name);
	*sender = (struct sender){.last = last,
				  .hash = 0xabc,
				  .due = last + 1,
				  .next = last + 1,
				  .following = sender->following,
				  .previous = sender->previous,
				  .name = sender->name};
	return sender;
}

START_TEST(the_hash_is_fnv_1a)
{
	/* from draft-eastlake-fnv, appendix C */
	ck_assert_uint_eq(fnv1a_64("", 0), UINT64_C(0xcbf29ce484222325));
	ck_assert_uint_eq(fnv1a_64("a", 1), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(fnv1a_64("foobar", 6), UINT64_C(0x85944171f73967e8));
	ck_assert_uint_eq(fnv1a_64("\xff\0", 2), UINT64_C(0x0a99a607b6f60bea));
}
END_TEST

START_TEST(a_hash_is_read_as_it_is_written)
{
	uint64_t hash;
	ck_assert(hash_read(slice_of("9b1c6f0d3a5e8827"), &hash));
	ck_assert_uint_eq(hash, 0x9b1c6f0d3a5e8827);
	ck_assert(!hash_read(slice_of("9B1C6F0D3A5E8827"), &hash));
	ck_assert(!hash_read(slice_of("9b1c6f0d3a5e882"), &hash));
	ck_assert(!hash_read(slice_of("9b1c6f0d3a5e88270"), &hash));
	ck_assert(!hash_read(slice_of("9b1c6f0d3a5e882g"), &hash));
}
END_TEST

START_TEST(senders_are_found_by_name)
{
	struct sender *a = add("a"), *ab = add("ab"), *b = add("b");
	ck_assert_ptr_eq(senders_find(&senders, slice_of("a")), a);
	ck_assert_ptr_eq(senders_find(&senders, slice_of("ab")), ab);
	ck_assert_ptr_eq(senders_find(&senders, (struct slice){"bc", 1}), b);
	ck_assert_ptr_null(senders_find(&senders, slice_of("")));
	ck_assert_ptr_null(senders_find(&senders, slice_of("c")));
	char name[SENDER_NAME_MAX + 2];
	memset(name, 'x', sizeof name);
	ck_assert_ptr_null(senders_find(&senders, (struct slice){name, sizeof name}));
	senders_free(&senders);
}
END_TEST

START_TEST(one_too_many_is_not_added)
{
	add("a");
	add("b");
	senders_reference(add("c"));
	ck_assert_ptr_null(senders_add(&senders, slice_of("d")));
	ck_assert_int_eq(errno, ENOSPC);
	senders_release(&senders, senders_find(&senders, slice_of("c")));
	ck_assert_uint_eq(senders.count, 2);
	add("d");
	senders_free(&senders);
}
END_TEST

static void *no_memory(size_t count, size_t size)
{
	(void)count;
	(void)size;
	errno = ENOMEM;
	return NULL;
}

START_TEST(without_memory_none_is_added)
{
	memory_calloc = no_memory;
	ck_assert_ptr_null(senders_add(&senders, slice_of("a")));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(senders.count, 0);
}
END_TEST

/* Of one that has said `from` and no line there is nothing to be kept. */
START_TEST(those_with_lines_are_kept_without_a_reference)
{
	struct sender *empty = add("empty"), *full = add_stored("full", 7);
	senders_reference(empty);
	senders_reference(empty);
	senders_reference(full);
	senders_release(&senders, full);
	senders_release(&senders, empty);
	ck_assert_uint_eq(senders.count, 2);
	senders_release(&senders, empty);
	ck_assert_ptr_null(senders_find(&senders, slice_of("empty")));
	ck_assert_ptr_eq(senders_find(&senders, slice_of("full")), full);
	senders_free(&senders);
}
END_TEST

START_TEST(those_that_are_idle_are_forgotten)
{
	struct sender *used = add_stored("used", 1), *idle = add_stored("idle", 1);
	senders_reference(used);
	idle->idle_since = 5;
	add_stored("late", 1)->idle_since = 6;
	ck_assert_uint_eq(senders_forget(&senders, 5), 1);
	ck_assert_ptr_null(senders_find(&senders, slice_of("idle")));
	ck_assert_uint_eq(senders_forget(&senders, INT64_MAX), 1);
	ck_assert_ptr_eq(senders_find(&senders, slice_of("used")), used);
	senders_free(&senders);
}
END_TEST

static void assert_taken(struct sender *sender, uint64_t number, size_t count, enum fate fate,
			 size_t same)
{
	enum fate got;
	ck_assert_uint_eq(sender_take(sender, &one, number, count, 0, &got), same);
	ck_assert_int_eq(got, fate);
}

START_TEST(each_number_has_its_fate)
{
	struct sender *sender = add_stored("a", 10);
	assert_taken(sender, 1, 5, FATE_ELSEWHERE, 5);
	sender_claim(sender, &one);
	assert_taken(sender, 1, 64, FATE_HAD, 9);
	assert_taken(sender, 10, 64, FATE_LAST, 1);
	assert_taken(sender, 12, 64, FATE_GAP, 64);
	assert_taken(sender, 11, 64, FATE_GIVEN, 64);
	assert_taken(sender, 75, 1, FATE_GIVEN, 1);
	ck_assert_uint_eq(sender->due, 11);
	sender_claim(sender, &other);
	assert_taken(sender, 76, 1, FATE_ELSEWHERE, 1);
	senders_free(&senders);
}
END_TEST

START_TEST(numbers_end_below_two_to_the_63)
{
	struct sender *sender = add_stored("a", SENDER_NUMBER_MAX - 2);
	sender_claim(sender, &one);
	assert_taken(sender, SENDER_NUMBER_MAX - 1, 64, FATE_GIVEN, 2);
	assert_taken(sender, SENDER_NUMBER_MAX + 1, 62, FATE_NO_NUMBER, 62);
	struct sender *first = add("b");
	sender_claim(first, &one);
	sender_begin(first, &one, SENDER_NUMBER_MAX);
	assert_taken(first, SENDER_NUMBER_MAX, 1, FATE_GIVEN, 1);
	senders_free(&senders);
}
END_TEST

/* Beside the ring's capacity, and its end. */
START_TEST(groups_are_settled_in_their_order)
{
	struct sender *sender = add("a");
	struct groups groups = {0};
	size_t next = 1, settled = 1;
	sender_claim(sender, &one);
	for (size_t round = 1; round < 9; round++) {
		for (size_t i = 0; i < 2 * round; i++, next++) {
			assert_taken(sender, next, 1, FATE_GIVEN, 1);
			const struct group group = {GROUP_LINES, sender, next, .count = 1,
						    .hash = next};
			ck_assert(groups_add(&groups, &group));
		}
		for (size_t i = 0; i < round; i++, settled++) {
			ck_assert_uint_eq(groups_first(&groups)->number, settled);
			ck_assert_uint_eq(groups_settle(&groups, false).number, settled);
			ck_assert_uint_eq(sender->last, settled);
			ck_assert_uint_eq(sender->hash, settled);
		}
	}
	ck_assert_uint_eq(sender->references, groups.count + settled - 1);
	for (; next <= 200; next++) {
		const struct group group = {GROUP_FIXED, sender, next, .count = 1};
		ck_assert(groups_add(&groups, &group));
	}
	ck_assert_uint_ge(groups.capacity, groups.count);
	while (groups.count)
		(void)groups_settle(&groups, false);
	ck_assert_uint_eq(groups.capacity, 0);
	groups_free(&groups);
	senders_free(&senders);
}
END_TEST

START_TEST(a_failed_group_takes_all_behind_it_along)
{
	struct sender *sender = add_stored("a", 4);
	struct groups groups = {0};
	sender_claim(sender, &one);
	assert_taken(sender, 5, 2, FATE_GIVEN, 2);
	const struct group lines = {GROUP_LINES, sender, 5, .count = 2, .hash = 1};
	ck_assert(groups_add(&groups, &lines));
	assert_taken(sender, 7, 3, FATE_GIVEN, 3);
	const struct group behind = {GROUP_LINES, sender, 7, .count = 3, .hash = 2};
	ck_assert(groups_add(&groups, &behind));
	(void)groups_settle(&groups, true);
	assert_taken(sender, 10, 1, FATE_GAP, 1);
	uint64_t mark = sender_claim(sender, &one);
	ck_assert(!sender_is_settled(sender, mark));
	(void)groups_settle(&groups, true);
	ck_assert(sender_is_settled(sender, mark));
	ck_assert_uint_eq(sender->last, 4);
	ck_assert_uint_eq(sender->hash, 0xabc);
	sender_begin(sender, &one, 5);
	assert_taken(sender, 5, 1, FATE_GIVEN, 1);
	sender_take_back(sender, 5);
	assert_taken(sender, 6, 1, FATE_GAP, 1);
	groups_free(&groups);
	senders_free(&senders);
}
END_TEST

static void *no_bytes(size_t size)
{
	(void)size;
	return NULL;
}

START_TEST(a_group_without_memory_is_not_given)
{
	struct sender *sender = add("a");
	struct groups groups = {0};
	const struct group group = {GROUP_LINES, sender, 1, .count = 1};
	memory_malloc = no_bytes;
	ck_assert(!groups_add(&groups, &group));
	ck_assert_uint_eq(sender->given, 0);
	ck_assert_uint_eq(sender->references, 0);
	memory_malloc = malloc;
	groups_free(&groups);
	senders_free(&senders);
}
END_TEST

static const struct {
	const char *line;
	bool begins, reads, asks;
	uint64_t number;
} lines[] = {
	{"from web1 17", true, true, false, 17},
	{"from web1 ?", true, true, true, 0},
	{"from ~!\\x41,\"# 1", true, true, false, 1},
	{"from a 9223372036854775807", true, true, false, SENDER_NUMBER_MAX},
	{"from a 9223372036854775808", true, false, false, 0},
	{"from a 99999999999999999999999", true, false, false, 0},
	{"from a 0", true, false, false, 0},
	{"from a 017", true, false, false, 0},
	{"from  1", true, false, false, 0},
	{"from a\t 1", true, false, false, 0},
	{"from \xc3\xa4 1", true, false, false, 0},
	/* lines like any other */
	{"from a", false, false, false, 0},
	{"from a ", false, false, false, 0},
	{"from a -1", false, false, false, 0},
	{"from a +1", false, false, false, 0},
	{"from a ??", false, false, false, 0},
	{"from a 1 ", false, false, false, 0},
	{"from here on 1", false, false, false, 0},
	{"From a 1", false, false, false, 0},
	{" from a 1", false, false, false, 0},
	{"", false, false, false, 0},
};

START_TEST(lines_are_told_apart)
{
	struct slice line = slice_of(lines[_i].line);
	struct from from;
	ck_assert_int_eq(from_begins(line), lines[_i].begins);
	if (!lines[_i].begins)
		return;
	ck_assert_int_eq(from_read(line, &from), lines[_i].reads);
	if (!lines[_i].reads)
		return;
	ck_assert_int_eq(from.asks, lines[_i].asks);
	ck_assert_uint_eq(from.number, lines[_i].number);
}
END_TEST

START_TEST(names_have_128_bytes)
{
	char line[256] = "from ";
	struct from from;
	memset(line + 5, '~', SENDER_NAME_MAX);
	strcpy(line + 5 + SENDER_NAME_MAX, " 1");
	ck_assert(from_read(slice_of(line), &from));
	ck_assert_uint_eq(from.name.length, SENDER_NAME_MAX);
	strcpy(line + 5 + SENDER_NAME_MAX, "~ 1");
	ck_assert(from_begins(slice_of(line)));
	ck_assert(!from_read(slice_of(line), &from));
}
END_TEST

static void assert_words(const char answer[ONCE_ANSWER_SIZE], size_t length, const char *words)
{
	ck_assert_str_eq(answer, words);
	ck_assert_uint_eq(length, strlen(words));
}

START_TEST(answers_have_their_words)
{
	char answer[ONCE_ANSWER_SIZE];
	struct sender *sender = add_stored("web1", 16);
	assert_words(answer, write_last(answer, NULL, 17), "ok 0");
	assert_words(answer, write_last(answer, add("new"), 17), "ok 0");
	assert_words(answer, write_last(answer, sender, 0), "ok 16 0000000000000abc");
	assert_words(answer, write_last(answer, sender, 17), "ok 16 0000000000000abc");
	assert_words(answer, write_last(answer, sender, 18), "error: gap: 17 is due");
	assert_words(answer, write_failed(answer, 17, 17, "No space left on device"),
		     "error: not logged: No space left on device");
	assert_words(answer, write_failed(answer, 18, 17, ""), "error: gap: 17 is due");
	assert_words(answer, write_differs(answer, sender), "error: web1 differs at 16");
	assert_words(answer, write_elsewhere(answer, sender), "error: web1 is sent from elsewhere");
	senders_free(&senders);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("senders");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, the_hash_is_fnv_1a);
	tcase_add_test(cases, a_hash_is_read_as_it_is_written);
	tcase_add_test(cases, senders_are_found_by_name);
	tcase_add_test(cases, one_too_many_is_not_added);
	tcase_add_test(cases, without_memory_none_is_added);
	tcase_add_test(cases, those_with_lines_are_kept_without_a_reference);
	tcase_add_test(cases, those_that_are_idle_are_forgotten);
	tcase_add_test(cases, each_number_has_its_fate);
	tcase_add_test(cases, numbers_end_below_two_to_the_63);
	tcase_add_test(cases, groups_are_settled_in_their_order);
	tcase_add_test(cases, a_failed_group_takes_all_behind_it_along);
	tcase_add_test(cases, a_group_without_memory_is_not_given);
	tcase_add_loop_test(cases, lines_are_told_apart, 0, sizeof lines / sizeof *lines);
	tcase_add_test(cases, names_have_128_bytes);
	tcase_add_test(cases, answers_have_their_words);
	return unit_main("senders", cases, NULL);
}
