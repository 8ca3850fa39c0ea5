/* SPDX-License-Identifier: MIT */
#include "session/survey.h"

#include <string.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"
#include "world.h"

enum { PEERS = SURVEY_BUSIEST + 3 };

static struct survey survey;
static int peers[PEERS];

static void begin(void)
{
	scratch_enter();
	world_open("log", PEERS, 100, 0);
	survey = (struct survey){0};
}

/* Sends so many lines, and waits for their answers. */
static void send_lines(int peer, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		peer_send(peer, "line\n", 5);
		assert_answers(peer, 1, "ok\n");
	}
}

static void end(size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(peers[i]);
	world_await(0);
	session_table_survey(world.table, &survey);
	ck_assert_uint_eq(survey.live, 0);
	ck_assert_uint_eq(survey.count, 0);
	ck_assert_uint_eq(survey.started, count);
	world_close();
}

START_TEST(lines_are_counted_since_the_last_survey)
{
	for (size_t i = 0; i < 3; i++)
		peers[i] = world_connect();
	send_lines(peers[1], 5);
	send_lines(peers[2], 2);
	session_table_survey(world.table, &survey);
	ck_assert_uint_eq(survey.live, 3);
	ck_assert_uint_eq(survey.count, 3);
	ck_assert_uint_eq(survey.busiest[0].lines, 5);
	ck_assert_uint_eq(survey.busiest[0].more, 5);
	ck_assert_uint_eq(survey.busiest[0].number, 2);
	ck_assert(!strncmp(survey.busiest[0].name, "127.0.0.1:", 10));
	ck_assert_uint_eq(survey.busiest[1].lines, 2);
	ck_assert_uint_eq(survey.busiest[2].lines, 0);
	send_lines(peers[0], 1);
	session_table_survey(world.table, &survey);
	ck_assert_uint_eq(survey.busiest[0].more, 1);
	ck_assert_uint_eq(survey.busiest[0].number, 1);
	ck_assert_uint_eq(survey.busiest[1].more, 0);
	ck_assert_uint_eq(survey.busiest[1].lines, 5);
	end(3);
}
END_TEST

START_TEST(only_the_busiest_are_listed)
{
	for (size_t i = 0; i < PEERS; i++)
		peers[i] = world_connect();
	for (size_t i = 0; i < PEERS; i++)
		send_lines(peers[i], i);
	session_table_survey(world.table, &survey);
	ck_assert_uint_eq(survey.live, PEERS);
	ck_assert_uint_eq(survey.count, SURVEY_BUSIEST);
	for (size_t i = 0; i < SURVEY_BUSIEST; i++)
		ck_assert_uint_eq(survey.busiest[i].lines, PEERS - 1 - i);
	end(PEERS);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("survey");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, lines_are_counted_since_the_last_survey);
	tcase_add_test(cases, only_the_busiest_are_listed);
	int status = unit_main("survey", cases, NULL);
	scratch_remove();
	return status;
}
