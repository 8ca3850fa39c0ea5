/* SPDX-License-Identifier: MIT */
/* The drill by power cuts. A server runs under load and is recorded; then, for many moments of the
 * recording, states are built that a power cut may leave, and each is tried. The next recording
 * begins with one of these states, so that power is also cut while the server recovers. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/random.h"
#include "client/workload/workload.h"
#include "power/trace.h"
#include "runall/power_cut.h"

enum {
	FILES_MAX = 384 << 10, /* above this the next recording begins anew */
	STATES = 100,	       /* of a recording */
	FIRST = 12,	       /* moments at the beginning of a recording that are all tried */
	TRIES = 64,
	ALL_MAX = 16, /* combinations that are all tried; else as many at random */
};

/* --- its crash states --- */

/* Keeps a state that has failed, the first one, to be looked at. */
static void keep(struct power_cuts *cuts, const struct disk_image *image, const struct error *why)
{
	struct error error;
	if (cuts->lost++)
		return;
	cuts->first = *why;
	if (scratch_keep(cuts, &error) < 0 || disk_image_write(image, cuts->kept, &error) < 0)
		runall_complain(cuts->runall, "%s", error.message);
}

static int try_image(struct power_cuts *cuts, const struct disk_image *image, struct error *error)
{
	struct error why;
	int result = power_state_try(cuts, image, &why);
	if (result < 0)
		return error_set(error, "%s", why.message);
	cuts->states++;
	if (result > 0)
		keep(cuts, image, &why);
	return 0;
}

static bool is_new(uint64_t hashes[ALL_MAX], size_t *count, uint64_t hash)
{
	for (size_t i = 0; i < *count; i++)
		if (hashes[i] == hash)
			return false;
	hashes[(*count)++] = hash;
	return true;
}

/* Chooses of which servers of a chain the power is not cut: not of all. */
static void choose_kept(struct power_cuts *cuts, const char *kept[RELAY_CHAIN_SERVERS + 1])
{
	size_t servers = cuts->runall->watch.servers, count = 0;
	uint64_t bits = random_next(&cuts->random) % ((UINT64_C(1) << servers) - 1);
	for (size_t i = 0; i < servers; i++)
		if (bits >> i & 1)
			kept[count++] = i ? relay_chain_logs[i] : cuts->log;
	kept[count] = NULL;
}

/* Tries states of the present moment, each different from the others; as many as it can have, up to
 * a maximum. */
static int cut(struct power_cuts *cuts, struct disk *disk, int64_t max, struct error *error)
{
	const char *kept[RELAY_CHAIN_SERVERS + 1];
	uint64_t hashes[ALL_MAX], count, left = 1;
	size_t tried = 0;
	int result = 0;
	struct disk_image image;
	choose_kept(cuts, kept);
	disk->kept = kept;
	for (uint64_t i = 0; i < left && tried < ALL_MAX && (int64_t)tried < max && result == 0;
	     i++) {
		bool all = i == 0 || left <= ALL_MAX;
		if (!disk_choose(disk, i, all ? NULL : &cuts->random, &count, &image))
			result = error_set(error, "out of memory");
		else if (is_new(hashes, &tried, image.hash))
			result = try_image(cuts, &image, error);
		left = count <= ALL_MAX ? count : ALL_MAX + 4;
		disk_image_free(&image);
	}
	disk->kept = NULL;
	return result;
}

/* How many bytes of a record a file ends in; not in a hole. */
static size_t torn_bytes(const struct buffer *bytes)
{
	size_t at = bytes->length;
	while (at && bytes->bytes[at - 1] != '\n' && bytes->bytes[at - 1])
		at--;
	return at && !bytes->bytes[at - 1] ? 0 : bytes->length - at;
}

/* How many bytes of a file stand behind the first one that is missing. */
static size_t bytes_behind_hole(const struct buffer *bytes)
{
	const char *hole = bytes->length ? memchr(bytes->bytes, '\0', bytes->length) : NULL;
	size_t count = 0;
	for (const char *at = hole; at && at < bytes->bytes + bytes->length; at++)
		count += *at != '\0';
	return count;
}

/* How much an image leaves to be mended: by turns half records and what is behind holes. */
static size_t damage(const struct power_cuts *cuts, const struct disk_image *image)
{
	size_t most = 0;
	for (size_t i = 0; i < image->count; i++) {
		const struct buffer *bytes = &image->files[i].bytes;
		size_t bad = cuts->recordings % 2 ? bytes_behind_hole(bytes) : torn_bytes(bytes);
		most = bad > most ? bad : most;
	}
	return most;
}

/* Chooses a state for the next recording to begin with: of several the one with most damage, as its
 * recovery has the most to do. */
static bool choose_damaged(struct power_cuts *cuts, const struct disk *disk)
{
	uint64_t count;
	bool done = true;
	for (int i = 0; i < TRIES && done; i++) {
		struct disk_image image;
		done = disk_choose(disk, 0, &cuts->random, &count, &image);
		if (i && damage(cuts, &image) <= damage(cuts, &cuts->begin)) {
			disk_image_free(&image);
			continue;
		}
		disk_image_free(&cuts->begin);
		cuts->begin = image;
	}
	return done;
}

static int choose_next(struct power_cuts *cuts, const struct disk *disk, struct error *error)
{
	size_t size = 0;
	promise_free(&cuts->next);
	if (!choose_damaged(cuts, disk) || !promise_copy(&cuts->next, &cuts->promise))
		return error_set(error, "out of memory");
	for (size_t i = 0; i < cuts->begin.count; i++)
		size += cuts->begin.files[i].bytes.length;
	cuts->has_next = size < FILES_MAX;
	return 0;
}

static size_t count_changes(const struct trace *trace)
{
	size_t count = 0;
	for (size_t i = 0; i < trace->count; i++)
		count += trace->events[i].kind < TRACE_ACCEPTED;
	return count;
}

/* The cuts of a recording. */
struct moments {
	size_t left;	/* changes */
	size_t next;	/* as many are left where the next recording is to begin */
	size_t passed;	/* so far */
	size_t chosen;	/* about so many */
	int64_t states; /* at most, from now on */
};

/* Is the power cut at this one? */
static bool is_chosen(struct power_cuts *cuts, const struct moments *moments)
{
	return moments->states > 0 &&
	       (moments->passed <= FIRST ||
		random_next(&cuts->random) % (moments->left + 1) < moments->chosen);
}

/* Something is about to change on the disk: then all is promised that is promised with this state
 * of it. */
static int pass_moment(struct power_cuts *cuts, struct disk *disk, struct moments *moments,
		       struct error *error)
{
	int64_t before = cuts->states;
	int result = 0;
	moments->passed++;
	if (is_chosen(cuts, moments))
		result = cut(cuts, disk, moments->states, error);
	moments->states -= cuts->states - before;
	if (result == 0 && moments->left <= moments->next && !damage(cuts, &cuts->begin))
		result = choose_next(cuts, disk, error);
	moments->left -= moments->left > 0;
	return result;
}

/* Cuts at moments that are chosen at random, and at the first ones. */
static int cut_all(struct power_cuts *cuts, struct disk *disk, const struct trace *trace,
		   struct error *error)
{
	int64_t wanted = cuts->runall->options.drill - cuts->states;
	struct moments moments = {.left = count_changes(trace),
				  .states = wanted < STATES ? wanted : STATES};
	int result = 0;
	moments.next = random_next(&cuts->random) % (moments.left + 1);
	moments.chosen = (size_t)moments.states / 4 + 1;
	for (size_t i = 0; i < trace->count && result == 0; i++) {
		const struct trace_event *event = &trace->events[i];
		if (disk_changes(disk, event))
			result = pass_moment(cuts, disk, &moments, error);
		disk_take(disk, event);
		promise_take(&cuts->promise, event);
	}
	if (result == 0)
		result = pass_moment(cuts, disk, &moments, error);
	if (result == 0 && (disk->no_memory || cuts->promise.no_memory))
		result = error_set(error, "out of memory");
	return result;
}

/* What the names of all logs begin with. */
static const char *prefix(const struct power_cuts *cuts)
{
	return cuts->runall->watch.servers > 1 ? "" : cuts->log;
}

/* Is the model true? Without a cut it has to have what is there; but for the memory that SQLite's
 * users share, which is a mapping. */
static int compare(const struct power_cuts *cuts, const struct disk *disk, struct error *error)
{
	struct disk there, here = *disk;
	struct disk_image is = {0}, made = {0};
	int result = disk_begin(&there, cuts->recorded, prefix(cuts), error);
	if (result == 0 && (!disk_whole(&there, &is) || !disk_whole(&here, &made)))
		result = error_set(error, "out of memory");
	if (result == 0 && is.count != made.count)
		result = error_set(error, "the recording has missed files");
	for (size_t i = 0; i < is.count && result == 0; i++) {
		const struct disk_image_file *one = &is.files[i], *other = &made.files[i];
		if (strcmp(one->name, other->name) != 0 ||
		    (!slice_ends(slice_of(one->name), "-shm") &&
		     !slice_same((struct slice){one->bytes.bytes, one->bytes.length},
				 (struct slice){other->bytes.bytes, other->bytes.length})))
			result = error_set(error, "the recording has missed changes of %.100s",
					   one->name);
	}
	disk_image_free(&is);
	disk_image_free(&made);
	disk_free(&there);
	return result;
}

/* --- all of it --- */

/* The next recording begins with the state that was chosen, or with nothing. */
static int begin_recording(struct power_cuts *cuts, struct error *error)
{
	enum promise_kind kind = cuts->promise.kind;
	int result = 0;
	scratch_empty(cuts->recorded);
	promise_free(&cuts->promise);
	if (cuts->has_next) {
		cuts->promise = cuts->next;
		result = disk_image_write(&cuts->begin, cuts->recorded, error);
	} else {
		promise_free(&cuts->next);
		cuts->promise = (struct promise){.kind = kind};
	}
	cuts->next = (struct promise){.kind = kind};
	disk_image_free(&cuts->begin);
	cuts->has_next = false;
	return result;
}

static int record_and_cut(struct power_cuts *cuts, int descriptor, struct error *error)
{
	struct disk disk;
	struct trace trace = {0};
	int result = disk_begin(&disk, cuts->recorded, prefix(cuts), error);
	uint64_t before = cuts->promise.promised;
	if (result == 0)
		result = power_record(cuts, descriptor, error);
	if (result == 0)
		result = trace_read(&trace, descriptor, error);
	if (result == 0)
		result = cut_all(cuts, &disk, &trace, error);
	if (result == 0)
		result = compare(cuts, &disk, error);
	if (result == 0 && cuts->promise.promised == before)
		result = error_set(error, "the recording has missed all answers");
	cuts->recordings++;
	cuts->calls += trace.count;
	cuts->promised += cuts->promise.promised - before;
	trace_free(&trace);
	disk_free(&disk);
	return result;
}

static int run(struct power_cuts *cuts, struct error *error)
{
	int result = scratch_begin(cuts, error);
	while (result == 0 && cuts->states < cuts->runall->options.drill) {
		int descriptor = memfd_create("trace", MFD_CLOEXEC);
		if (descriptor < 0)
			return error_set(error, "cannot record: %s", strerror(errno));
		result = begin_recording(cuts, error);
		if (result == 0)
			result = record_and_cut(cuts, descriptor, error);
		(void)close(descriptor);
	}
	return result;
}

static void show(struct power_cuts *cuts)
{
	const struct runall_options *options = &cuts->runall->options;
	struct verdict verdict = {.good = !cuts->lost, .complete = true};
	const char *sync =
		runall_option_given(options, "sync")
			? option_find(server_option_table(), "sync")->choices[options->server.sync]
			: "disk";
	if (cuts->lost)
		(void)verdict_add(&verdict, "%.400s; the first such state is in %.300s; ",
				  cuts->first.message, cuts->kept);
	(void)verdict_add(&verdict,
			  "drill: %" PRId64 " crash state%s, %" PRId64 " lost; from %" PRId64
			  " recording%s of %" PRIu64 " calls, %" PRIu64
			  " line%s acknowledged; sync %s (seed %" PRId64 ")",
			  cuts->states, PLURAL(cuts->states), cuts->lost, cuts->recordings,
			  PLURAL(cuts->recordings), cuts->calls, cuts->promised,
			  PLURAL(cuts->promised), sync, options->client.seed);
	runall_show_verdict(cuts->runall, 0, &verdict, NULL);
}

void run_power_cuts(struct runall *runall)
{
	const struct workload *workload = &workloads[runall->options.client.service];
	struct power_cuts cuts = {
		.runall = runall,
		.promise.kind = workload->numbers  ? PROMISE_NUMBERS
				: workload->echoes ? PROMISE_ECHO
						   : PROMISE_OK,
		.random = random_state((uint64_t)runall->options.client.seed, 1, 0)};
	struct error error;
	if (run(&cuts, &error) < 0) {
		if (!runall->watch.interrupts)
			runall_complain(runall, "%s", error.message);
	} else {
		show(&cuts);
	}
	promise_free(&cuts.promise);
	promise_free(&cuts.next);
	disk_image_free(&cuts.begin);
	scratch_end(&cuts);
}
