/* SPDX-License-Identifier: MIT */
/* The log above a sink that completes late, out of order, and fails: many connections submit
 * without waiting for answers. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/stdout_tee.h"
#include "log_fixture.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

enum {
	CONNECTIONS = 6,
	LINES = 3000,
	UNANSWERED_MAX = 40, /* lines of a connection */
	FAILURES_MAX = CONNECTIONS * LINES,
};

struct line {
	atomic_bool stored;
	bool ok, refused;   /* answered, in the end */
	unsigned failure;   /* that it was part of; 0: none */
	unsigned submitted; /* ticket, when log_submit() had returned */
};

struct connection {
	struct reply_target target; /* first member: the pointer is cast between the two types */
	pthread_t thread;
	char name[16];
	struct line lines[LINES + 1]; /* from 1 */
	unsigned last;		      /* that was stored */
	unsigned sent;		      /* records of answers */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned answered; /* under the lock */
};

static struct connection connections[CONNECTIONS];
static atomic_uint tickets;
static unsigned known_at[FAILURES_MAX]; /* ticket, for each failure */
static enum log_sync sync_level;
static atomic_uint warnings;
static struct stdout_tee *shown; /* or NULL */

/* The connection and the line that a record is of; NULL: a note. */
static struct connection *find(const struct sink_record *record, unsigned *line)
{
	const char *bytes = sink_record_bytes(record);
	if (record->event == RECORD_NOTE)
		return NULL;
	struct connection *connection = &connections[bytes[record->subject_length - 1] - '0'];
	if (memcmp(bytes, connection->name, record->subject_length) != 0)
		abort();
	*line = 0;
	for (size_t i = 0; i < record->length; i++)
		*line = *line * 10 + (unsigned)(bytes[record->subject_length + i] - '0');
	return connection;
}

/* What the service has added is the line's number once more. */
static void check_fields(const struct sink_record *record)
{
	const char *line = sink_record_bytes(record) + record->subject_length;
	if (record->field_count != 1 || strcmp(record->fields[0].name, "number") != 0 ||
	    record->fields[0].length != record->length ||
	    memcmp(line, line + record->length, record->length) != 0 || !record->second)
		abort();
}

static void take_stored(const struct sink_record *record)
{
	unsigned line;
	struct connection *connection = find(record, &line);
	if (!connection)
		return;
	if (record->event == RECORD_SENT) {
		connection->sent++;
		return;
	}
	check_fields(record);
	if (line <= connection->last) /* twice, or behind a later one */
		abort();
	connection->last = line;
	connection->lines[line].stored = true;
}

static void take_failed(const struct sink_record *record, unsigned failure)
{
	unsigned line;
	struct connection *connection = find(record, &line);
	if (connection && record->event == RECORD_RECEIVED)
		connection->lines[line].failure = failure;
}

static void take_known(unsigned failure)
{
	known_at[failure] = ++tickets;
}

static void answer(struct connection *connection, size_t lines, bool refused)
{
	pthread_mutex_lock(&connection->lock);
	while (lines--) {
		struct line *line = &connection->lines[++connection->answered];
		line->refused = refused;
		line->ok = !refused;
		if (sync_level != LOG_SYNC_NONE && line->stored == refused)
			abort(); /* an ok that leaves early, or an error for a line in the log */
	}
	pthread_cond_signal(&connection->changed);
	pthread_mutex_unlock(&connection->lock);
}

static bool deliver(struct reply_target *target, const char *answers, size_t length, size_t lines)
{
	(void)answers;
	(void)length;
	answer((struct connection *)target, lines, false);
	return true;
}

static void refuse(struct reply_target *target, const char *reason, size_t lines)
{
	if (strcmp(reason, "Input/output error") != 0) /* that of the first, for all */
		abort();
	answer((struct connection *)target, lines, true);
}

static void await_answers(struct connection *connection, unsigned count)
{
	pthread_mutex_lock(&connection->lock);
	while (connection->answered < count)
		pthread_cond_wait(&connection->changed, &connection->lock);
	pthread_mutex_unlock(&connection->lock);
}

static void *submit_all(void *argument)
{
	struct connection *self = argument;
	for (unsigned next = 1; next <= LINES;) {
		char words[3][16];
		struct record_field fields[3][2] = {{{NULL, {NULL, 0}}}};
		struct log_item items[3];
		size_t count = next % 3 + 1;
		if (count > LINES + 1 - next)
			count = LINES + 1 - next;
		for (size_t i = 0; i < count; i++) {
			(void)snprintf(words[i], sizeof words[i], "%u", next + (unsigned)i);
			items[i] = item_line(words[i]);
			fields[i][0] = (struct record_field){"number", slice_of(words[i])};
			items[i].fields = fields[i];
		}
		if (!log_submit(log_under_test, &self->target, items, count,
				next % 5 ? SUBMIT_COMMIT : SUBMIT_DEFER))
			abort();
		for (unsigned ticket = ++tickets; count; count--, next++)
			self->lines[next].submitted = ticket;
		if (next % 20 == 0)
			log_reopen(log_under_test, NULL);
		(void)log_submit(log_under_test, &self->target, NULL, 0, SUBMIT_COMMIT);
		await_answers(self, next > UNANSWERED_MAX ? next - UNANSWERED_MAX : 0);
	}
	return NULL;
}

/* Of a line that failed no later line is stored that was submitted before that was known. */
static void assert_order(const struct connection *connection)
{
	unsigned known = 0; /* of the failed lines before, the latest */
	unsigned ok = 0;
	for (int i = 1; i <= LINES; i++) {
		const struct line *line = &connection->lines[i];
		ck_assert_int_eq(line->ok, !line->refused);
		ck_assert_int_eq(line->stored, line->ok);
		if (line->stored && sync_level != LOG_SYNC_NONE)
			ck_assert_uint_gt(line->submitted, known);
		if (!line->stored && line->failure && known_at[line->failure] > known)
			known = known_at[line->failure];
		ok += line->ok;
	}
	ck_assert_uint_eq(connection->sent, ok);
}

static void count_warning(const char *message)
{
	(void)message;
	warnings++;
}

static void begin(int in_flight)
{
	static const struct sink_type *const late[] = {&sink_late, NULL};
	struct error error;
	struct log_settings settings = {.target = "late:",
					.format = &record_text,
					.sync = sync_level,
					.tee = shown,
					.warn = count_warning};
	late_settings = (struct late_settings){.in_flight = in_flight,
					       .fail = 12,
					       .stored = take_stored,
					       .failed = take_failed,
					       .known = take_known};
	sink_types = late;
	log_under_test = log_open(&settings, &error);
	ck_assert_ptr_nonnull(log_under_test);
}

static void run(enum log_sync sync, int in_flight)
{
	unsigned refused = 0;
	sync_level = sync;
	begin(in_flight);
	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *connection = &connections[i];
		(void)snprintf(connection->name, sizeof connection->name, "connection%d", i);
		connection->target = (struct reply_target){
			.name = connection->name, .deliver = deliver, .refuse = refuse};
		pthread_mutex_init(&connection->lock, NULL);
		pthread_cond_init(&connection->changed, NULL);
		ck_assert_int_eq(pthread_create(&connection->thread, NULL, submit_all, connection),
				 0);
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		ck_assert_int_eq(pthread_join(connections[i].thread, NULL), 0);
		await_answers(&connections[i], LINES);
	}
	late_settings.fail = 0;
	flush();
	ck_assert(log_close(log_under_test));
	for (int i = 0; i < CONNECTIONS; i++) {
		assert_order(&connections[i]);
		for (int j = 1; j <= LINES; j++)
			refused += connections[i].lines[j].refused;
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_gt(warnings, 0);
}

START_TEST(late_completions_keep_order_and_promise)
{
	run((enum log_sync)(_i % 3), 1 + _i * 7 / 5);
}
END_TEST

/* Of structured records the text is shown. */
START_TEST(text_is_shown)
{
	struct error error;
	int file = open("shown", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	shown = stdout_tee_start(file, true, &error);
	begin(1);
	late_settings.fail = 0;
	log_note(log_under_test, RECORD_INFO, "a", "one");
	log_note(log_under_test, RECORD_WARNING, "b", "two");
	ck_assert(log_close(log_under_test));
	ck_assert(stdout_tee_stop(shown, clock_after(PATIENCE)));
	char *text = file_read("shown", NULL);
	char *one = strstr(text, "--a one\n"), *two = strstr(text, "--b two\n");
	ck_assert_msg(one && two && one < two && !two[strlen("--b two\n")], "%s", text);
	free(text);
	(void)close(file);
}
END_TEST

static struct sink_batch *pending[3];
static atomic_int pending_count;

static int hold(struct sink_batch *batch)
{
	if (pending_count == sizeof pending / sizeof *pending)
		return 0;
	pending[pending_count++] = batch;
	return SINK_PENDING;
}

static bool are_pending(void *count)
{
	return pending_count == *(int *)count;
}

static bool are_answered(void *fake)
{
	return fake_lines(fake) == 3;
}

static void submit_line(struct fake *fake, const char *line)
{
	struct log_item item = item_line(line);
	ck_assert(log_submit(log_under_test, &fake->recipient, &item, 1, SUBMIT_COMMIT));
}

/* The first batch that fails has only the sent record of one; of the two lines behind it the second
 * is not in flight yet. */
START_TEST(no_line_is_stored_behind_one_that_failed)
{
	static const struct sink_type *const hook[] = {&sink_hook, NULL};
	struct error error;
	struct log_settings settings = {.target = "hook:",
					.format = &record_text,
					.sync = LOG_SYNC_WRITE,
					.warn = count_warning};
	struct fake fake;
	fake_init(&fake, "a");
	sink_types = hook;
	sink_hook_submit = hold;
	sink_hook_in_flight = 2;
	ck_assert_ptr_nonnull(log_under_test = log_open(&settings, &error));
	submit_line(&fake, "one");
	ck_assert(eventually(are_pending, &(int){1}));
	pending[0]->complete(pending[0], 0);
	ck_assert(eventually(are_pending, &(int){2}));
	submit_line(&fake, "two");
	ck_assert(eventually(are_pending, &(int){3}));
	submit_line(&fake, "three");
	pending[1]->complete(pending[1], EIO);
	pending[2]->complete(pending[2], ECANCELED);
	ck_assert(eventually(are_answered, &fake));
	ck_assert(fake_has(&fake, "ok\nerror: not logged: Input/output error\n"
				  "error: not logged: Input/output error\n"));
	ck_assert(log_close(log_under_test));
	fake_free(&fake);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("late");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_loop_test(cases, late_completions_keep_order_and_promise, 0, 6);
	tcase_add_test(cases, text_is_shown);
	tcase_add_test(cases, no_line_is_stored_behind_one_that_failed);
	int status = unit_main("sink_late", cases, NULL);
	scratch_remove();
	return status;
}
