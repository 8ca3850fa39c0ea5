/* SPDX-License-Identifier: MIT */
#include "log/record_list.h"

#include <stdalign.h>
#include <string.h>

#include "log/sink.h"

bool record_list_is_empty(const struct record_list *list)
{
	return !list->text.length && !list->fields.length;
}

/* Appends a struct sink_record. Returns false if out of memory: the list is to be cut. */
static bool add_fields(struct buffer *list, const struct stamp *stamp, const struct record *record)
{
	static const char padding[alignof(struct sink_record)];
	struct sink_record head = {.second = stamp->second,
				   .microsecond = stamp->microsecond,
				   .level = record->level,
				   .event = record->event,
				   .subject_length = strlen(record->subject),
				   .length = record->length};
	const struct record_field *fields = record->fields;
	size_t start = list->length;
	while (fields && fields[head.field_count].name)
		head.field_count++;
	bool added = buffer_append(list, &head, sizeof head);
	for (size_t i = 0; i < head.field_count; i++) {
		struct sink_field field = {fields[i].name, fields[i].value.length};
		added = added && buffer_append(list, &field, sizeof field);
	}
	added = added && buffer_append(list, record->subject, head.subject_length) &&
		buffer_append(list, record->bytes, head.length);
	for (size_t i = 0; i < head.field_count; i++)
		added = added && buffer_append(list, fields[i].value.bytes, fields[i].value.length);
	added = added && buffer_append(list, padding, -list->length % sizeof padding);
	if (added)
		((struct sink_record *)(void *)(list->bytes + start))->size = list->length - start;
	return added;
}

bool record_list_add(struct record_list *list, const struct stamp *stamp,
		     const struct record *record)
{
	struct record_mark before = record_list_end(list);
	if (list->format->append(list->format, &list->text, stamp, record) &&
	    (!list->structured || add_fields(&list->fields, stamp, record)))
		return true;
	record_list_cut(list, before);
	return false;
}

/* Appends the buffer's bytes from offset `start` on once more. */
static bool repeat(struct buffer *buffer, size_t start)
{
	size_t length = buffer->length - start;
	return !length || (buffer_reserve(buffer, length) &&
			   buffer_append(buffer, buffer->bytes + start, length));
}

bool record_list_repeat(struct record_list *list, struct record_mark mark)
{
	struct record_mark before = record_list_end(list);
	if (repeat(&list->text, mark.text) && repeat(&list->fields, mark.fields))
		return true;
	record_list_cut(list, before);
	return false;
}

bool record_list_reserve(struct record_list *list, const struct record_list *more)
{
	return buffer_reserve(&list->text, more->text.length) &&
	       (!more->fields.length || buffer_reserve(&list->fields, more->fields.length));
}

bool record_list_append(struct record_list *list, const struct record_list *more)
{
	return record_list_reserve(list, more) &&
	       buffer_append(&list->text, more->text.bytes, more->text.length) &&
	       buffer_append(&list->fields, more->fields.bytes, more->fields.length);
}

struct record_mark record_list_end(const struct record_list *list)
{
	return (struct record_mark){list->text.length, list->fields.length};
}

void record_list_cut(struct record_list *list, struct record_mark mark)
{
	list->text.length = mark.text;
	list->fields.length = mark.fields;
}

void record_list_clear(struct record_list *list, size_t keep)
{
	buffer_clear(&list->text, keep);
	buffer_clear(&list->fields, keep);
}

void record_list_free(struct record_list *list)
{
	buffer_free(&list->text);
	buffer_free(&list->fields);
}
