/* SPDX-License-Identifier: MIT */
#include "measure/chars_result.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "measure/client_result_writer.h"
#include "measure/report_text.h"

enum { ACCOUNT_SIZE = 512 };

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

void chars_sum_start(struct chars_sum *sum)
{
	*sum = (struct chars_sum){.digest = FNV_START};
}

void chars_sum_add(struct chars_sum *sum, const char *text, size_t length)
{
	for (size_t i = 0; i <= length; i++)
		sum->digest =
			(sum->digest ^ (unsigned char)(i < length ? text[i] : '\n')) * FNV_PRIME;
	sum->messages++;
	sum->characters += length;
}

int chars_result_write(const struct chars_result *account, int descriptor, struct error *error)
{
	struct buffer text = {0};
	bool complete = buffer_printf(&text,
				      "chars %s %" PRIu64 " %" PRIu64 " %" PRIx64 " %" PRIu64
				      " %" PRIu64 " %" PRIu64 "\nend\n",
				      account->name, account->got.messages, account->got.characters,
				      account->got.digest, account->before, account->stats,
				      account->counted);
	bool written = client_result_writer_send(descriptor, &text, complete, error);
	buffer_free(&text);
	return written ? 0 : -1;
}

int chars_result_read(struct chars_result *account, const char *bytes, size_t length,
		      struct error *error)
{
	char words[ACCOUNT_SIZE];
	int end = 0;
	*account = (struct chars_result){0};
	if (!length)
		return error_set(error, "left no account");
	if (length >= sizeof words)
		return error_set(error, "its account is damaged");
	memcpy(words, bytes, length);
	words[length] = '\0';
	_Static_assert(SOCKET_NAME_SIZE == 80, "as long as the name below");
	int read = sscanf(words,
			  "chars %79s %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNu64 " %" SCNu64
			  " %" SCNu64 "\nend%n",
			  account->name, &account->got.messages, &account->got.characters,
			  &account->got.digest, &account->before, &account->stats,
			  &account->counted, &end);
	if (read != 7 || !end || strcmp(words + end, "\n") != 0 ||
	    account->before > account->got.messages)
		return error_set(error, "its account is damaged");
	return 0;
}
