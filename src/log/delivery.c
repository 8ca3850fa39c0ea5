/* SPDX-License-Identifier: MIT */
#include "log/delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log/metrics.h"
#include "net/answers.h"

enum { REASON_SIZE = 128 };

void delivery_open(struct delivery *delivery, pthread_mutex_t *lock, int in_flight_max,
		   struct log_metrics *metrics)
{
	delivery->lock = lock;
	delivery->metrics = metrics;
	delivery->count = in_flight_max + DELIVERY_BATCHES - SINK_IN_FLIGHT_MAX;
	pthread_cond_init(&delivery->delivered, NULL); /* cannot fail without attributes */
	for (int i = delivery->count; i > 0; i--)
		delivery->spare[delivery->spare_count++] = &delivery->batches[i - 1];
}

void delivery_close(struct delivery *delivery)
{
	for (int i = 0; i < delivery->count; i++)
		batch_free(&delivery->batches[i]);
	if (delivery->count)
		pthread_cond_destroy(&delivery->delivered);
}

struct batch *delivery_take(struct delivery *delivery)
{
	struct batch *batch = delivery->spare[--delivery->spare_count];
	batch->counts = (struct batch_counts){0};
	return batch;
}

struct batch *delivery_take_next(struct delivery *delivery, const struct batch *after)
{
	struct batch *batch = delivery_take(delivery);
	batch->number = ++delivery->last;
	if (after)
		batch->barrier = after->is_barrier ? after->number : after->barrier;
	return batch;
}

void delivery_end(struct delivery *delivery, struct batch *batch)
{
	uint64_t oldest = delivery->last + 1;
	batch->number = 0;
	for (int i = 0; i < delivery->count; i++) {
		uint64_t number = delivery->batches[i].number;
		if (number && number < oldest)
			oldest = number;
	}
	atomic_store(&delivery->oldest, oldest);
	pthread_cond_broadcast(&delivery->delivered);
}

void delivery_return(struct delivery *delivery, struct batch *batch)
{
	if (batch->number)
		delivery_end(delivery, batch);
	delivery->spare[delivery->spare_count++] = batch;
}

/* What is delivered before an entry is not yet. With the lock. */
static bool must_wait(const struct delivery *delivery, const struct batch_entry *entry)
{
	for (int i = 0; i < delivery->count; i++) {
		uint64_t number = delivery->batches[i].number;
		if (number == entry->after || (number && number < entry->after && entry->after_all))
			return true;
	}
	return false;
}

static void await(struct delivery *delivery, const struct batch_entry *entry)
{
	if (!entry->after || entry->after < atomic_load(&delivery->oldest)) /* mostly */
		return;
	pthread_mutex_lock(delivery->lock);
	while (must_wait(delivery, entry))
		pthread_cond_wait(&delivery->delivered, delivery->lock);
	pthread_mutex_unlock(delivery->lock);
}

static void deliver(struct log_metrics *metrics, const struct batch_entry *entry,
		    const char *answers)
{
	struct reply_target *target = entry->target;
	/* once it has its answers it may be freed */
	void (*on_undelivered)(void *, const char *, size_t) = target->on_undelivered;
	void *context = target->context;
	bool is_answer = !target->broadcast && !target->control;
	bool sent = target->deliver(target, answers, entry->length, entry->lines);
	if (is_answer)
		log_metrics_answered(metrics, entry->received, entry->lines, sent);
	if (!sent && entry->is_gone && on_undelivered)
		on_undelivered(context, answers, entry->length);
}

static void refuse(const struct batch_entry *entry, const char *answers, const char *reason)
{
	struct reply_target *target = entry->target;
	if (target->on_undelivered)
		target->on_undelivered(target->context, answers, entry->length);
	if (target->refuse)
		target->refuse(target, reason, entry->lines);
}

/* The lines of one sender alone were not stored. */
static void refuse_gap(const struct batch_entry *entry, const char *answers)
{
	char reason[REASON_SIZE];
	(void)snprintf(reason, sizeof reason, REASON_GAP_FORMAT, entry->due);
	refuse(entry, answers, reason);
}

void delivery_run(struct delivery *delivery, const struct batch *batch)
{
	char unknown[sizeof REASON_UNKNOWN + REASON_SIZE];
	const char *reason = batch->refused ? strerror(batch->refused) : NULL;
	if (reason && batch->commit.unknown) {
		(void)snprintf(unknown, sizeof unknown, REASON_UNKNOWN "%s", reason);
		reason = unknown;
	}
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		const char *answers = batch->answers.bytes + entry->start;
		await(delivery, entry);
		if (reason && !entry->unrecorded)
			refuse(entry, answers, reason);
		else if (entry->due)
			refuse_gap(entry, answers);
		else
			deliver(delivery->metrics, entry, answers);
	}
}
