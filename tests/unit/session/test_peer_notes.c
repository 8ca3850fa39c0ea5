/* SPDX-License-Identifier: MIT */
#include "session/peer_notes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "fake_clock.h"
#include "support.h"
#include "unit.h"
#include "world.h"

static void begin(void)
{
	scratch_enter();
	world_use_own();
	world_open("log", 2, 100, 0);
	fake_clock_stop();
}

/* What waits for a deadline needs time that goes on. */
static void end(void)
{
	fake_clock_stopped = 0;
	world_close();
}

static unsigned refuse(unsigned count)
{
	unsigned written = 0;
	for (unsigned i = 0; i < count; i++)
		written += peer_note(world.settings.notes, NOTE_REFUSED, "a", "refused %u", i);
	return written;
}

static void assert_counts(const char *word, size_t times)
{
	int64_t stopped = fake_clock_stopped;
	fake_clock_stopped = 0;
	assert_logged(word, times);
	fake_clock_stopped = stopped;
}

START_TEST(so_many_of_a_kind_are_written_in_a_period)
{
	ck_assert_uint_eq(refuse(100000), PEER_NOTES_MAX);
	assert_counts("--a refused ", PEER_NOTES_MAX);
	assert_counts("--a refused 9\n", 1);
	ck_assert(peer_note(world.settings.notes, NOTE_SILENT, "a", "closed")); /* another kind */
	uint64_t counts[PEER_NOTE_KINDS];
	peer_notes_count(world.settings.notes, counts);
	ck_assert_uint_eq(counts[NOTE_REFUSED], 100000);
	ck_assert_uint_eq(counts[NOTE_SILENT], 1);
	ck_assert_uint_eq(counts[NOTE_CUT], 0);
	peer_notes_tell(world.settings.notes);
	assert_counts(" more ", 0); /* the period goes on */
	fake_clock_stopped += PEER_NOTES_PERIOD;
	peer_notes_tell(world.settings.notes);
	assert_counts("WARNING\t| ", PEER_NOTES_MAX + 1);
	assert_counts("--server 99990 more connections refused\n", 1);
	peer_notes_tell(world.settings.notes);
	ck_assert_uint_eq(refuse(PEER_NOTES_MAX), PEER_NOTES_MAX);
	end();
}
END_TEST

START_TEST(what_was_left_out_is_told_before_the_next_one)
{
	(void)refuse(PEER_NOTES_MAX + 3);
	fake_clock_stopped += PEER_NOTES_PERIOD - 1;
	ck_assert_uint_eq(refuse(1), 0);
	fake_clock_stopped += 1;
	ck_assert_uint_eq(refuse(1), 1);
	assert_counts("--server 4 more connections refused\n", 1);
	assert_counts(" more ", 1);
	end();
}
END_TEST

START_TEST(what_was_left_out_is_told_in_the_end)
{
	(void)refuse(PEER_NOTES_MAX + 7);
	for (int i = 0; i < PEER_NOTES_MAX + 1; i++)
		(void)peer_note_allowed(world.settings.notes, NOTE_MALFORMED);
	end();
	char *log = file_read("log", NULL);
	ck_assert_uint_eq(count_of(log, "--server 7 more connections refused\n"), 1);
	ck_assert_uint_eq(count_of(log, "--server 1 more malformed lines\n"), 1);
	free(log);
}
END_TEST

static bool is_told(void *unused)
{
	(void)unused;
	char *log = file_read("log", NULL);
	bool told = count_of(log, "--server 5 more connections refused\n");
	free(log);
	return told;
}

/* The timer queue's thread, when the period has ended. */
START_TEST(what_was_left_out_is_told_without_another_note)
{
	fake_clock_stopped = fake_clock_real() - PEER_NOTES_PERIOD;
	(void)refuse(PEER_NOTES_MAX + 5);
	fake_clock_stopped = 0; /* the period has ended */
	ck_assert(eventually(is_told, NULL));
	end();
}
END_TEST

int main(void)
{
	fake_clock_use();
	scratch_make();
	TCase *cases = tcase_create("peer notes");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, so_many_of_a_kind_are_written_in_a_period);
	tcase_add_test(cases, what_was_left_out_is_told_before_the_next_one);
	tcase_add_test(cases, what_was_left_out_is_told_in_the_end);
	tcase_add_test(cases, what_was_left_out_is_told_without_another_note);
	int status = unit_main("peer_notes", cases, NULL);
	scratch_remove();
	return status;
}
