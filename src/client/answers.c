/* SPDX-License-Identifier: MIT */
/* Services that answer each line by itself. */
#include "client/session_internal.h"
#include "net/answers.h"

static enum answer_meaning meaning(bool right)
{
	return right ? ANSWER_ACKNOWLEDGES : ANSWER_REFUSES;
}

static enum answer_meaning judge_ok(struct client_session *session,
				    const struct inflight_line *line, struct slice answer)
{
	(void)session;
	(void)line;
	return meaning(slice_equals(answer, ANSWER_OK));
}

static enum answer_meaning judge_echo(struct client_session *session,
				      const struct inflight_line *line, struct slice answer)
{
	const struct slice echo = {.bytes = inflight_bytes(&session->inflight, line),
				   .length = line->length - 1};
	return meaning(slice_same(answer, echo));
}

/* The first line decides whether the answer is right, so that one that is wrong is told at once. */
static enum answer_meaning judge_pattern(struct client_session *session,
					 const struct inflight_line *line, struct slice answer)
{
	struct pattern *first = session->patterns.answer, *end = session->patterns.end;
	bool begins = !session->connections[line->connection].continues;
	if (begins && first && !pattern_fits(first, answer))
		return ANSWER_REFUSES;
	return !end || pattern_fits(end, answer) ? ANSWER_ACKNOWLEDGES : ANSWER_CONTINUES;
}

static bool make_pattern(struct pattern **pattern, const char *option, const char *text,
			 struct error *error)
{
	*pattern = text ? pattern_make(option, text, error) : NULL;
	return !text || *pattern;
}

bool session_make_patterns(struct client_session *session)
{
	const struct answer_rules *rules = &session->settings.rules;
	struct error *error = session->error;
	return make_pattern(&session->patterns.answer, "-answer", rules->answer, error) &&
	       make_pattern(&session->patterns.end, "-answer-end", rules->end, error) &&
	       make_pattern(&session->patterns.greeting, "-greeting", rules->greeting, error);
}

const struct answer_protocol answers_ok = {.judge = judge_ok};
const struct answer_protocol answers_echo = {.judge = judge_echo, .keeps_cr = true};
const struct answer_protocol answers_pattern = {.judge = judge_pattern, .greet = greeting_await};
