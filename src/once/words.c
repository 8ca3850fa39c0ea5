/* SPDX-License-Identifier: MIT */
#include "once/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "net/answers.h"

/* The two words behind `from `. False: it is another line. */
static bool cut_words(struct slice line, struct slice *name, struct slice *number)
{
	if (!slice_skip(&line, ONCE_FROM) || !slice_cut(&line, ' ', name))
		return false;
	*number = line;
	return true;
}

bool from_begins(struct slice line)
{
	struct slice name, number;
	if (!cut_words(line, &name, &number) || !number.length)
		return false;
	if (slice_equals(number, "?"))
		return true;
	for (size_t i = 0; i < number.length; i++)
		if (!isdigit((unsigned char)number.bytes[i]))
			return false;
	return true;
}

bool sender_is_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++)
		if (name.bytes[i] <= ' ' || name.bytes[i] > '~')
			return false;
	return name.length > 0 && name.length <= SENDER_NAME_MAX;
}

bool from_read(struct slice line, struct from *from)
{
	struct slice number;
	*from = (struct from){0};
	if (!cut_words(line, &from->name, &number) || !sender_is_name(from->name))
		return false;
	from->asks = slice_equals(number, "?");
	return from->asks || (slice_number(&number, &from->number) && !number.length &&
			      from->number > 0 && from->number <= SENDER_NUMBER_MAX);
}

bool hash_read(struct slice digits, uint64_t *hash)
{
	*hash = 0;
	for (size_t i = 0; i < digits.length; i++) {
		char digit = digits.bytes[i];
		if (!isdigit((unsigned char)digit) && (digit < 'a' || digit > 'f'))
			return false;
		*hash = *hash << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
	}
	return digits.length == 16;
}

bool last_read(struct slice answer, uint64_t *last, uint64_t *hash)
{
	*last = *hash = 0;
	if (!slice_skip(&answer, ANSWER_OK " ") || !slice_number(&answer, last))
		return false;
	if (!*last || !slice_skip(&answer, " "))
		return !*last && !answer.length;
	return hash_read(answer, hash);
}

bool known_head_read(struct slice note, uint64_t *count)
{
	return slice_skip(&note, KNOWN) && slice_number(&note, count) &&
	       slice_equals(note, KNOWN_SENDERS);
}

bool known_sender_read(struct slice note, struct slice *name, uint64_t *number, uint64_t *hash)
{
	return slice_skip(&note, KNOWN) && slice_cut(&note, ' ', name) &&
	       slice_number(&note, number) && *number > 0 && *number <= SENDER_NUMBER_MAX &&
	       slice_skip(&note, " ") && hash_read(note, hash);
}

static size_t write_gap(char *answer, uint64_t due)
{
	return (size_t)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_ERROR REASON_GAP_FORMAT, due);
}

size_t write_last(char answer[ONCE_ANSWER_SIZE], const struct sender *sender, uint64_t number)
{
	if (!sender || !sender->last)
		return (size_t)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_OK " 0");
	if (number > sender->due)
		return write_gap(answer, sender->due);
	return (size_t)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_OK " %" PRIu64 " %016" PRIx64,
				sender->last, sender->hash);
}

size_t write_failed(char answer[ONCE_ANSWER_SIZE], uint64_t number, uint64_t due,
		    const char *reason)
{
	const char *words = reason_words(reason);
	if (number > due && *words) /* else none of them is known not to be there */
		return write_gap(answer, due);
	return (size_t)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_ERROR "%s%.120s", words, reason);
}

size_t write_differs(char answer[ONCE_ANSWER_SIZE], const struct sender *sender)
{
	return (size_t)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_ERROR "%s differs at %" PRIu64,
				sender->name, sender->last);
}

size_t write_elsewhere(char answer[ONCE_ANSWER_SIZE], const struct sender *sender)
{
	return (size_t)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_ERROR "%s is sent from elsewhere",
				sender->name);
}
