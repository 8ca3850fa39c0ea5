/* SPDX-License-Identifier: MIT */
#include "log/watch.h"

#include "log/writer.h"

void watch_begin(struct writer *writer, struct log_watcher *watcher)
{
	writer->watcher = watcher;
	writer->deferred_pending = writer->deferred.length;
	if (watcher)
		atomic_init(&watcher->pending, writer->open->charge + writer->deferred_pending);
}

void watch_submitted(struct writer *writer, size_t charge)
{
	if (writer->watcher)
		atomic_fetch_add(&writer->watcher->pending, charge);
}

void watch_settled(struct writer *writer, struct batch *batch, size_t stored)
{
	size_t deferred = writer->deferred.length;
	for (int i = 1; i < writer->in_flight; i++)
		deferred += writer->queue[i]->deferred.length;
	size_t settled = batch->charge + writer->deferred_pending - deferred;
	writer->deferred_pending = deferred;
	batch->charge = 0;
	if (writer->watcher)
		writer->watcher->settle(writer->watcher, stored, settled);
}
