/* SPDX-License-Identifier: MIT */
/* The options that are handed on. */
#include <string.h>

#include "record/format.h"
#include "runall/options.h"

const struct option_spec *handed_spec(const struct handed_option *handed)
{
	return handed->specs[OWNER_SERVER] ? handed->specs[OWNER_SERVER]
					   : handed->specs[OWNER_CLIENT];
}

bool handed_is_given(const struct handed_option *handed)
{
	return handed->flag || handed->value;
}

size_t handed_find(const struct runall_options *options, const char *name)
{
	size_t i = 0;
	while (handed_spec(&options->handed[i]) &&
	       strcmp(handed_spec(&options->handed[i])->name, name) != 0)
		i++;
	return i;
}

bool runall_is_plain(const struct runall_options *options)
{
	return record_formats[options->server.format] == &record_plain;
}

bool runall_option_given(const struct runall_options *options, const char *name)
{
	return handed_is_given(&options->handed[handed_find(options, name)]);
}

void runall_hand_on(const struct runall_options *options, enum option_owner owner,
		    bool (*wanted)(const struct option_spec *spec, size_t i), size_t i,
		    struct argument_list *list)
{
	for (const struct handed_option *handed = options->handed;
	     handed < options->handed + HANDED_MAX; handed++) {
		const struct option_spec *spec = handed->specs[owner];
		if (spec && handed_is_given(handed) && (!wanted || wanted(spec, i)))
			argument_add(list, handed->word, handed->value);
	}
}

bool option_is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(name, *names) != 0)
		names++;
	return *names;
}
