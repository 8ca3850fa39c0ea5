/* SPDX-License-Identifier: MIT */
/* Two connections send lines of one sender over a log that commits, fails and is killed: every
 * interleaving of these steps up to a depth. In each the log must be a sequence of numbers without
 * gap and repetition, and every answer true when it is given. */
#include "once/sender.h"

#include <stdlib.h>
#include <string.h>

#include "once/fnv.h"
#include "unit.h"

enum {
	CONNECTIONS = 2,
	FLIGHT = 2, /* batches at the sink */
	LINES = 4,  /* in the log, at most */
	GROUPS = 6, /* of a connection that are not answered, at most */
	DEPTH = UNIT_IS_SANITIZED ? 14 : 16, /* steps */
	TABLE = 1 << 20,
};

/* What the log has done with a group. */
enum outcome { UNDER_WAY, STORED, REFUSED };

/* Where a batch is: 1..FLIGHT at the sink, the oldest first; 0: the open one; DONE: settled. */
enum { OPEN = 0, DONE = FLIGHT + 1 };

struct submission {
	enum outcome outcome;
	int batch;
	bool recorded; /* else it has only an answer, which no failure changes */
};

struct connection {
	struct groups groups;
	struct submission submissions[GROUPS]; /* of the groups, the oldest first */
	size_t submitted;		       /* the last group may be given and not submitted */
	enum { SILENT, WAITS, SENDS } state;
	uint64_t mark, number;
};

/* Plain values, but for the rings of the groups. */
struct world {
	struct sender sender;
	struct connection connections[CONNECTIONS];
	uint64_t first, last; /* in the log; 0: none */
	uint64_t failures;
	int flight;
	int kills;
};

static bool compares;	      /* the log compares the counts of failures */
static const char *violation; /* NULL: none was found */
static size_t states;

static void check(bool holds, const char *words)
{
	if (!holds && !violation)
		violation = words;
}

/* An assertion of the check library writes to a file each time. */
static void add(struct groups *groups, const struct group *group)
{
	if (!groups_add(groups, group))
		abort();
}

static uint64_t hash_of(uint64_t number)
{
	return number * 1000;
}

/* --- the log --- */

static bool batch_has_records(const struct world *world, int batch)
{
	for (int c = 0; c < CONNECTIONS; c++)
		for (size_t i = 0; i < world->connections[c].submitted; i++)
			if (world->connections[c].submissions[i].batch == batch)
				return true;
	return false;
}

static void submit(struct world *world, struct connection *connection, bool recorded)
{
	(void)world;
	connection->submissions[connection->submitted++] =
		(struct submission){.outcome = UNDER_WAY, .batch = OPEN, .recorded = recorded};
}

static bool can_commit(const struct world *world)
{
	return world->flight < FLIGHT && batch_has_records(world, OPEN);
}

static void commit(struct world *world)
{
	int batch = ++world->flight;
	for (int c = 0; c < CONNECTIONS; c++)
		for (size_t i = 0; i < world->connections[c].submitted; i++)
			if (world->connections[c].submissions[i].batch == OPEN)
				world->connections[c].submissions[i].batch = batch;
}

static struct group *group_at(struct connection *connection, size_t i)
{
	const struct groups *groups = &connection->groups;
	return &groups->ring[(groups->first + i) % groups->capacity];
}

/* Lines of two connections are never in one batch, as the model has them: which is first does not
 * matter. */
static void store_group(struct world *world, const struct group *group)
{
	check(!world->last || group->number == world->last + 1,
	      "the log has a gap or a repetition");
	if (!world->last)
		world->first = group->number;
	world->last = group->number + group->count - 1;
}

/* The oldest batch at the sink is stored. */
static void store(struct world *world)
{
	for (int c = 0; c < CONNECTIONS; c++) {
		struct connection *connection = &world->connections[c];
		for (size_t i = 0; i < connection->submitted; i++) {
			struct submission *submission = &connection->submissions[i];
			if (submission->batch != 1 && submission->batch != 2)
				continue;
			if (--submission->batch)
				continue;
			submission->batch = DONE;
			submission->outcome = STORED;
			if (submission->recorded)
				store_group(world, group_at(connection, i));
		}
	}
	world->flight--;
}

/* A batch fails, perhaps one of other senders, and so does all that was submitted so far. */
static void break_off(struct world *world)
{
	for (int c = 0; c < CONNECTIONS; c++) {
		struct connection *connection = &world->connections[c];
		for (size_t i = 0; i < connection->submitted; i++) {
			struct submission *submission = &connection->submissions[i];
			if (submission->outcome != UNDER_WAY)
				continue;
			submission->batch = DONE;
			submission->outcome = submission->recorded ? REFUSED : STORED;
		}
	}
	world->flight = 0;
	world->failures++;
}

/* --- the connections --- */

static void claim(struct world *world, struct connection *connection, uint64_t number)
{
	connection->mark = sender_claim(&world->sender, connection);
	connection->number = number;
	connection->state = WAITS;
}

/* The answer to `from`. */
static void begin(struct world *world, struct connection *connection)
{
	const struct sender *sender = &world->sender;
	bool owner = sender->owner == connection;
	check(owner ? sender->last == world->last : sender->last <= world->last,
	      "ok LAST is not what the log has");
	check(!sender->last || sender->hash == hash_of(sender->last), "ok LAST has a wrong hash");
	sender_begin(&world->sender, connection, connection->number);
	connection->state = SENDS;
}

static void take(struct world *world, struct connection *connection, size_t count)
{
	enum fate fate;
	uint64_t number = connection->number;
	bool settled = world->sender.given == world->sender.settled;
	bool owned = world->sender.owner == connection, due = number == world->sender.due;
	count = sender_take(&world->sender, connection, number, count, world->failures, &fate);
	connection->number += count;
	check(!settled || !owned || !due || fate == FATE_GIVEN, "what is due is not taken");
	struct group group = {
		.kind = GROUP_LATE, .sender = &world->sender, .number = number, .count = count};
	switch (fate) {
	case FATE_HAD:
	case FATE_LAST:
		check(number <= world->last, "had what the log has not");
		break;
	case FATE_GIVEN:
		group.kind = GROUP_LINES;
		group.hash = hash_of(number + count - 1);
		add(&connection->groups, &group);
		break;
	case FATE_GAP:
		add(&connection->groups, &group);
		submit(world, connection, false);
		break;
	default:
		check(world->sender.owner != connection, "the owner is told that another one is");
	}
}

/* The group that was given numbers gets to the log. */
static void hand_over(struct world *world, struct connection *connection)
{
	struct group *group = groups_last(&connection->groups);
	bool fits = !compares || world->sender.failures == world->failures;
	if (!fits) {
		sender_take_back(&world->sender, group->number);
		group->kind = GROUP_LATE;
	}
	submit(world, connection, fits);
}

static void settle(struct world *world, struct connection *connection)
{
	bool refused = connection->submissions[0].outcome == REFUSED;
	struct group group = groups_settle(&connection->groups, refused);
	uint64_t due = world->sender.due;
	connection->submitted--;
	memmove(connection->submissions, connection->submissions + 1,
		connection->submitted * sizeof *connection->submissions);
	if (group.kind == GROUP_LINES && !refused) {
		check(group.number >= world->first && group.number + group.count - 1 <= world->last,
		      "ok for what the log has not");
		return;
	}
	check(group.number > world->last, "an error for what the log has");
	check(due <= group.number, "another number than the one that failed is due");
	check(!world->last || due == world->last + 1, "N is due, and the log has another last");
}

static void restart(struct world *world)
{
	for (int c = 0; c < CONNECTIONS; c++) {
		groups_free(&world->connections[c].groups);
		world->connections[c] = (struct connection){0};
	}
	world->sender = (struct sender){.last = world->last,
					.hash = hash_of(world->last),
					.due = world->last + 1,
					.next = world->last + 1};
	world->failures = 0;
	world->flight = 0;
	world->kills++;
}

/* --- all interleavings --- */

static void copy(struct world *to, const struct world *from)
{
	*to = *from;
	for (int c = 0; c < CONNECTIONS; c++) {
		struct groups *groups = &to->connections[c].groups;
		const struct connection *connection = &from->connections[c];
		*groups = (struct groups){0};
		for (size_t i = 0; i < connection->groups.count; i++) {
			struct group group =
				*group_at((struct connection *)(uintptr_t)connection, i);
			group.sender = NULL; /* it was counted */
			add(groups, &group);
			groups_last(groups)->sender = &to->sender;
		}
		if (from->sender.owner == connection)
			to->sender.owner = &to->connections[c];
	}
}

static void drop(struct world *world)
{
	for (int c = 0; c < CONNECTIONS; c++)
		groups_free(&world->connections[c].groups);
}

struct key {
	uint64_t values[64];
	size_t count;
};

static void put(struct key *key, uint64_t value)
{
	key->values[key->count++] = value;
}

/* A number that is the same for worlds that go on in the same way. */
static uint64_t key_of(const struct world *world)
{
	struct key key = {0};
	const struct sender *sender = &world->sender;
	put(&key, world->first | world->last << 8 | sender->last << 16 | sender->due << 24 |
			  sender->next << 32 | (uint64_t)world->flight << 40 |
			  (uint64_t)world->kills << 48 |
			  (uint64_t)(sender->failures == world->failures) << 56);
	for (int c = 0; c < CONNECTIONS; c++) {
		const struct connection *at = &world->connections[c];
		uint64_t waits = at->mark > sender->settled ? at->mark - sender->settled : 0;
		put(&key, (uint64_t)at->state | (uint64_t)(sender->owner == at) << 4 |
				  at->number << 8 | at->submitted << 16 | at->groups.count << 24 |
				  waits << 32);
		for (size_t i = 0; i < at->groups.count; i++) {
			const struct group *group =
				&at->groups.ring[(at->groups.first + i) % at->groups.capacity];
			const struct submission *submission = &at->submissions[i];
			bool submitted = i < at->submitted;
			put(&key, group->number | group->count << 8 | (uint64_t)group->kind << 16 |
					  (submitted ? (uint64_t)submission->outcome << 24 |
							       (uint64_t)submission->batch << 32 |
							       (uint64_t)submission->recorded << 40
						     : UINT64_C(1) << 63));
		}
	}
	return fnv1a_64((const char *)key.values, key.count * sizeof *key.values) | 1;
}

static struct {
	uint64_t key;
	int depth;
} * seen;

/* Whether it was explored to that depth; notes it. */
static bool is_known(const struct world *world, int depth)
{
	uint64_t key = key_of(world);
	size_t slot = (size_t)(key >> 20) % TABLE;
	while (seen[slot].key && seen[slot].key != key)
		slot = (slot + 1) % TABLE;
	if (seen[slot].key && seen[slot].depth >= depth)
		return true;
	states += !seen[slot].key;
	check(states < TABLE / 2, "too many states for the table");
	seen[slot].key = key;
	seen[slot].depth = depth;
	return false;
}

enum step {
	COMMIT,
	STORE,
	FAIL,
	KILL,
	CLAIM_FIRST, /* from here on each connection has these */
	CLAIM_NEXT,
	BEGIN,
	TAKE_ONE,
	TAKE_TWO,
	HAND_OVER,
	SETTLE,
	STEPS,
};

/* Does a step, if it is possible now. */
static bool do_step(struct world *world, enum step step, struct connection *connection)
{
	bool between = connection->groups.count > connection->submitted;
	bool room = connection->groups.count < GROUPS;
	bool ended = world->sender.next > LINES; /* it would be larger than the model */
	switch (step) {
	case COMMIT:
		return can_commit(world) && (commit(world), true);
	case STORE:
		return world->flight > 0 && (store(world), true);
	case FAIL:
		return world->failures < 2 && (break_off(world), true);
	case KILL:
		return !world->kills && (restart(world), true);
	case CLAIM_FIRST:
		return connection->state != WAITS && !between &&
		       (claim(world, connection, 1), true);
	case CLAIM_NEXT:
		return connection->state != WAITS && !between &&
		       (claim(world, connection, world->sender.last + 2 - (world->sender.last > 0)),
			true);
	case BEGIN:
		return connection->state == WAITS &&
		       sender_is_settled(&world->sender, connection->mark) &&
		       (begin(world, connection), true);
	case TAKE_ONE:
	case TAKE_TWO:
		return connection->state == SENDS && !between && room && !ended &&
		       connection->number <= LINES + 1 &&
		       (take(world, connection, step == TAKE_ONE ? 1 : 2), true);
	case HAND_OVER:
		return between && (hand_over(world, connection), true);
	case SETTLE:
		return connection->submitted && connection->submissions[0].outcome != UNDER_WAY &&
		       (settle(world, connection), true);
	default:
		return false;
	}
}

static void explore(const struct world *world, int depth)
{
	if (!depth || violation || is_known(world, depth))
		return;
	for (int step = 0; step < STEPS; step++) {
		for (int c = 0; c < (step < CLAIM_FIRST ? 1 : CONNECTIONS); c++) {
			struct world next;
			copy(&next, world);
			if (do_step(&next, (enum step)step, &next.connections[c]))
				explore(&next, depth - 1);
			drop(&next);
		}
	}
}

static void explore_all(bool with_counts, int depth)
{
	const struct world world = {.sender = {.due = 1, .next = 1}};
	seen = calloc(TABLE, sizeof *seen);
	ck_assert_ptr_nonnull(seen);
	compares = with_counts;
	explore(&world, depth);
	free(seen);
}

START_TEST(the_log_is_a_sequence_and_the_answers_are_true)
{
	explore_all(true, DEPTH);
	ck_assert_msg(!violation, "%s", violation ? violation : "");
	ck_assert_uint_gt(states, 10000);
}
END_TEST

/* A failure between the giving of a number and its way into the log. */
START_TEST(without_the_count_of_failures_there_is_a_gap)
{
	explore_all(false, DEPTH);
	ck_assert_ptr_nonnull(violation);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("model");
	tcase_add_test(cases, the_log_is_a_sequence_and_the_answers_are_true);
	tcase_add_test(cases, without_the_count_of_failures_there_is_a_gap);
	return unit_main("model", cases, NULL);
}
