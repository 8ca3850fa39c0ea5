/* SPDX-License-Identifier: MIT */
#include "session/survey.h"

#include <stdio.h>
#include <string.h>

static bool is_busier(const struct surveyed_session *one, const struct surveyed_session *other)
{
	return one->more != other->more ? one->more > other->more : one->lines > other->lines;
}

static bool has_place(const struct survey *survey, const struct surveyed_session *session)
{
	return survey->count < SURVEY_BUSIEST ||
	       is_busier(session, &survey->busiest[SURVEY_BUSIEST - 1]);
}

/* Puts a session in its place among the busiest. */
static void insert(struct survey *survey, const struct surveyed_session *session)
{
	size_t at = survey->count;
	if (at == SURVEY_BUSIEST)
		at--;
	else
		survey->count++;
	for (; at > 0 && is_busier(session, &survey->busiest[at - 1]); at--)
		survey->busiest[at] = survey->busiest[at - 1];
	survey->busiest[at] = *session;
}

/* Its name is not read before its handshake is over. */
static bool is_shaking(const struct session_table *table, const struct session *session)
{
	return session->previous_shaking || table->first_shaking == session ||
	       session->shaking_ended;
}

void session_table_survey(struct session_table *table, struct survey *survey)
{
	survey->live = survey->count = 0;
	survey->unsent = 0;
	pthread_mutex_lock(&table->lock);
	survey->started = table->started;
	for (struct session *at = table->live; at; at = at->next) {
		struct surveyed_session session = {
			.number = at->responder.number,
			.lines = atomic_load_explicit(&at->lines, memory_order_relaxed),
			.unsent = send_queue_unsent(&at->responder.queue),
		};
		session.more = session.lines - at->surveyed;
		at->surveyed = session.lines;
		survey->live++;
		survey->unsent += session.unsent;
		if (is_shaking(table, at) || !has_place(survey, &session))
			continue;
		(void)snprintf(session.name, sizeof session.name, "%s", at->name);
		insert(survey, &session);
	}
	pthread_mutex_unlock(&table->lock);
}
