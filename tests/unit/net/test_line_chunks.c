/* SPDX-License-Identifier: MIT */
/* Lines with their ends, as line_chunk() gives them. */
#include "net/line_splitter.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "unit.h"

/* What comes of input, in pieces of `step` bytes: "<piece>" each with its end, one of them the rest
 * where it is taken, and then "|" and what is left; the caller frees. */
static char *split_exactly(const char *input, size_t length, size_t step, bool rest)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	const char *piece;
	size_t room, piece_length;
	line_init(&buffer, 1); /* the limit is of no meaning here */
	for (size_t at = 0; at < length; at += step) {
		size_t count = length - at < step ? length - at : step;
		char *space = line_space(&buffer, &room);
		ck_assert(space && room >= count);
		memcpy(space, input + at, count);
		line_filled(&buffer, count);
		bool last = at + count == length;
		while ((piece = line_chunk(&buffer, rest && last, &piece_length)))
			ck_assert(buffer_append_string(&seen, "<") &&
				  buffer_append(&seen, piece, piece_length) &&
				  buffer_append_string(&seen, ">"));
	}
	piece_length = line_remainder(&buffer, &piece);
	ck_assert(buffer_append_string(&seen, "|") && buffer_append(&seen, piece, piece_length) &&
		  buffer_append(&seen, "", 1));
	line_free(&buffer);
	return seen.bytes;
}

START_TEST(pieces_are_lines_with_their_ends)
{
	static const struct {
		const char *input, *kept, *taken; /* without and with the rest */
	} cases[] = {
		{"\n", "<\n>|", "<\n>|"},
		{"a", "|a", "<a>|"},
		{"\r", "|\r", "<\r>|"},
		{"a\nb\r\n\n", "<a\n><b\r\n><\n>|", "<a\n><b\r\n><\n>|"},
		{"long line\nrest\r", "<long line\n>|rest\r", "<long line\n><rest\r>|"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step <= strlen(cases[i].input); step++)
			for (int rest = 0; rest < 2; rest++) {
				char *seen = split_exactly(cases[i].input, strlen(cases[i].input),
							   step, rest);
				ck_assert_str_eq(seen, rest ? cases[i].taken : cases[i].kept);
				free(seen);
			}
}
END_TEST

START_TEST(pieces_have_any_byte)
{
	struct line_splitter buffer;
	size_t room, length;
	line_init(&buffer, 1);
	memcpy(line_space(&buffer, &room), "\0\n\xff\0", 4);
	line_filled(&buffer, 4);
	const char *piece = line_chunk(&buffer, true, &length);
	ck_assert_uint_eq(length, 2);
	ck_assert_mem_eq(piece, "\0\n", 2);
	ck_assert_ptr_null(line_chunk(&buffer, false, &length));
	piece = line_chunk(&buffer, true, &length);
	ck_assert_uint_eq(length, 2);
	ck_assert_mem_eq(piece, "\xff\0", 2);
	ck_assert_ptr_null(line_chunk(&buffer, true, &length));
	line_free(&buffer);
}
END_TEST

/* However long a line may be, what has no end is full at 64 KiB, and then taken. */
START_TEST(a_buffer_of_pieces_is_full_in_time)
{
	static const size_t limits[] = {1, 65536, 1 << 26};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct line_splitter buffer;
		size_t room, length, total = 0;
		line_init(&buffer, limits[i]);
		while (!line_is_full(&buffer)) {
			char *space = line_space(&buffer, &room);
			ck_assert(space && room && total < 65536);
			memset(space, 'x', room);
			line_filled(&buffer, room);
			total += room;
			ck_assert_ptr_null(line_chunk(&buffer, false, &length));
		}
		ck_assert_uint_eq(total, 65536);
		ck_assert_ptr_nonnull(line_chunk(&buffer, true, &length));
		ck_assert_uint_eq(length, 65536);
		ck_assert(!line_is_full(&buffer));
		ck_assert_uint_le(buffer.capacity, 65538);
		line_free(&buffer);
	}
}
END_TEST

int main(void)
{
	TCase *pieces = tcase_create("pieces");
	tcase_add_test(pieces, pieces_are_lines_with_their_ends);
	tcase_add_test(pieces, pieces_have_any_byte);
	tcase_add_test(pieces, a_buffer_of_pieces_is_full_in_time);
	return unit_main("line_pieces", pieces, NULL);
}
