/* SPDX-License-Identifier: MIT */
#include "log/pipeline.h"

static void enqueue(struct pipeline *pipeline, struct batch *batch)
{
	batch->next = NULL;
	batch->completed = false;
	*pipeline->end = batch;
	pipeline->end = &batch->next;
	pipeline->in_flight++;
}

/* Takes the oldest batch off the queue, settled and empty. */
static void dequeue(struct pipeline *pipeline)
{
	struct batch *batch = pipeline->oldest;
	pipeline->oldest = batch->next;
	if (!pipeline->oldest)
		pipeline->end = &pipeline->oldest;
	pipeline->in_flight--;
	batch->next = pipeline->spare;
	pipeline->spare = batch;
}

static struct batch *take_spare(struct pipeline *pipeline)
{
	struct batch *batch = pipeline->spare;
	pipeline->spare = batch->next;
	return batch;
}

static struct batch *take_open(struct pipeline *pipeline)
{
	struct batch *batch = pipeline->open;
	pipeline->open = take_spare(pipeline);
	pthread_cond_broadcast(pipeline->space);
	return batch;
}

/* Called by the sink, in any thread. */
static void complete(struct sink_batch *commit, int errnum)
{
	struct batch *batch = (struct batch *)commit;
	struct pipeline *pipeline = batch->pipeline;
	pthread_mutex_lock(pipeline->lock);
	batch->errnum = errnum;
	batch->completed = true;
	pipeline->on_completed(pipeline->context);
	pthread_mutex_unlock(pipeline->lock);
}

int pipeline_open(struct pipeline *pipeline, struct error *error)
{
	pipeline->end = &pipeline->oldest;
	if (writer_open(&pipeline->writer, error) < 0)
		return -1;
	for (int i = PIPELINE_BATCHES - 1; i >= 0; i--) {
		struct batch *batch = &pipeline->batches[i];
		batch->pipeline = pipeline;
		batch->commit.complete = complete;
		batch->records = batch->deferred = pipeline->writer.returned; /* an empty list */
		batch->next = pipeline->spare;
		pipeline->spare = batch;
	}
	pipeline->open = take_spare(pipeline);
	return 0;
}

void pipeline_close(struct pipeline *pipeline)
{
	writer_close(&pipeline->writer);
	for (int i = 0; i < PIPELINE_BATCHES; i++)
		batch_free(&pipeline->batches[i]);
}

bool pipeline_has_space(const struct pipeline *pipeline)
{
	return !pipeline->refused && pipeline->in_flight < writer_in_flight(&pipeline->writer);
}

/* The oldest batch has failed: all behind it fail too, those in flight by the sink's contract, and
 * the open one here, so that no later line of a connection is stored. A batch without lines loses
 * nothing. */
static void refuse_open(struct pipeline *pipeline, const struct batch *failed)
{
	pipeline->refused = failed->errnum;
	if (record_list_is_empty(&failed->records) ||
	    record_list_is_empty(&pipeline->open->records))
		return;
	struct batch *batch = take_open(pipeline);
	enqueue(pipeline, batch);
	batch->completed = true;
}

void pipeline_settle(struct pipeline *pipeline)
{
	while (pipeline->oldest && pipeline->oldest->completed) {
		struct batch *batch = pipeline->oldest;
		if (batch->errnum && !pipeline->refused)
			refuse_open(pipeline, batch);
		bool last = pipeline->refused && !batch->next;
		pthread_mutex_unlock(pipeline->lock);
		writer_settle(&pipeline->writer, batch, pipeline->refused);
		batch_clear(batch);
		if (last)
			writer_resume(&pipeline->writer);
		pthread_mutex_lock(pipeline->lock);
		dequeue(pipeline);
		if (last)
			pipeline->refused = 0;
	}
}

void pipeline_commit(struct pipeline *pipeline, bool open)
{
	bool alone = !pipeline->oldest;
	struct batch *batch = open ? take_open(pipeline) : take_spare(pipeline);
	enqueue(pipeline, batch);
	pthread_mutex_unlock(pipeline->lock);
	int errnum = writer_submit(&pipeline->writer, batch);
	bool settled = alone && errnum == 0;
	if (settled) {
		writer_settle(&pipeline->writer, batch, 0);
		batch_clear(batch);
	}
	pthread_mutex_lock(pipeline->lock);
	if (settled) {
		dequeue(pipeline);
		return;
	}
	if (errnum != SINK_PENDING) {
		batch->errnum = errnum;
		batch->completed = true;
	}
	pipeline_settle(pipeline);
}
