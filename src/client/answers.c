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

const struct answer_protocol answers_ok = {.judge = judge_ok};
const struct answer_protocol answers_echo = {.judge = judge_echo, .keeps_cr = true};
