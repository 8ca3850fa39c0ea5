/* SPDX-License-Identifier: MIT */
#include "verify/crash_test.h"

#include "base/memory.h"

enum { BYTE_BITS = 8 };

/* Threads have as many bits each, so that a line's bit follows from its numbers. */
static size_t bits_of(const struct client_result *result)
{
	int64_t max = 0;
	for (int64_t i = 0; result->complete && i < result->threads; i++)
		if (result->per_thread[i].sent > max)
			max = result->per_thread[i].sent;
	return (size_t)(max * result->threads);
}

bool crash_test_init(struct proof *proof)
{
	size_t bit = 0;
	for (size_t i = 0; i < proof->job->clients; i++) {
		proof->clients[i].first_bit = bit;
		bit += bits_of(proof->clients[i].result);
	}
	proof->bits = memory_calloc(bit / BYTE_BITS + 1, 1);
	return proof->bits != NULL;
}

/* The byte that has the bit of a line, and a mask for it. */
static unsigned char *byte_of(const struct proof *proof, const struct client *client,
			      const struct client_line *line, unsigned char *mask)
{
	size_t bit = client->first_bit +
		     (size_t)((line->iteration - 1) * client->threads + line->thread);
	*mask = (unsigned char)(1U << bit % BYTE_BITS);
	return &proof->bits[bit / BYTE_BITS];
}

void crash_test_count(struct proof *proof, const struct client *client,
		      const struct client_line *line)
{
	unsigned char mask, *byte = byte_of(proof, client, line, &mask);
	proof->doubled += (*byte & mask) != 0;
	*byte |= mask;
}

int64_t crash_test_missing(const struct proof *proof, const struct client *client)
{
	int64_t missing = 0;
	struct client_line line = {0};
	for (; line.thread < client->threads; line.thread++)
		for (line.iteration = 1; client_was_acknowledged(client, &line); line.iteration++) {
			unsigned char mask, *byte = byte_of(proof, client, &line, &mask);
			missing += !(*byte & mask);
		}
	return missing;
}
