/* SPDX-License-Identifier: MIT */
#include "log/sink.h"

#include <stdalign.h>
#include <string.h>

#include "base/decimal.h"
#include "record/log_reader.h"

static const struct sink_type *const types[] = {&sink_file, &sink_sqlite, &sink_postgresql, NULL};
const struct sink_type *const *sink_types = types;

bool sink_is_stdout(const char *target)
{
	return !strcmp(target, "-");
}

/* The type that the target names, or the first; *rest is what the type makes of it. */
static const struct sink_type *find_type(const char *target, const char **rest)
{
	for (int i = 0; sink_types[i]; i++)
		if ((*rest = log_target_of(target, sink_types[i]->name)))
			return sink_types[i];
	*rest = target;
	return sink_is_stdout(target) ? &sink_stdout : sink_types[0];
}

const char *sink_file_name(const char *target)
{
	const char *rest;
	return find_type(target, &rest) == &sink_file ? rest : NULL;
}

bool sink_is_database(const char *target)
{
	const char *rest;
	return find_type(target, &rest)->structured;
}

const char *sink_conninfo(const char *target)
{
	const char *rest;
	return find_type(target, &rest) == &sink_postgresql ? rest : NULL;
}

bool sink_is_nameless(const char *target)
{
	const char *rest;
	(void)find_type(target, &rest);
	return !*rest;
}

/* The fields of a record: those of a numbered line are written to `own`, before one that it has. */
struct own_fields {
	struct record_field fields[4];
	char digits[DECIMAL_MAX];
};

static const struct record_field *fields_of(const struct record *record, struct own_fields *own)
{
	if (!record->sender)
		return record->fields;
	size_t digits = decimal_write(own->digits, record->number);
	own->fields[0] = (struct record_field){RECORD_SENDER, slice_of(record->sender)};
	own->fields[1] = (struct record_field){RECORD_NUMBER, {own->digits, digits}};
	own->fields[2] = record->fields ? *record->fields : (struct record_field){0};
	own->fields[3] = (struct record_field){0};
	return own->fields;
}

/* Appends a struct sink_record, as the `append` of a format. */
static bool append_structured(const struct record_format *format, struct buffer *buffer,
			      const struct stamp *stamp, const struct record *record)
{
	static const char padding[alignof(struct sink_record)];
	const struct record_format *text = ((const struct sink_record_format *)format)->text;
	struct own_fields own;
	const struct record_field *fields = fields_of(record, &own);
	struct sink_record head = {.second = stamp->second,
				   .microsecond = stamp->microsecond,
				   .level = record->level,
				   .event = record->event,
				   .subject_length = strlen(record->subject),
				   .length = record->length};
	size_t start = buffer->length;
	while (fields && fields[head.field_count].name)
		head.field_count++;
	bool added = buffer_append(buffer, &head, sizeof head);
	for (size_t i = 0; i < head.field_count; i++) {
		struct sink_field field = {fields[i].name, fields[i].value.length};
		added = added && buffer_append(buffer, &field, sizeof field);
	}
	added = added && buffer_append(buffer, record->subject, head.subject_length) &&
		buffer_append(buffer, record->bytes, head.length);
	for (size_t i = 0; i < head.field_count; i++)
		added = added &&
			buffer_append(buffer, fields[i].value.bytes, fields[i].value.length);
	head.text_start = buffer->length - start;
	added = added && (!text || record_append(text, buffer, stamp, record));
	head.text_length = buffer->length - start - head.text_start;
	if (!added || !buffer_append(buffer, padding, -buffer->length % sizeof padding))
		return false;
	head.size = buffer->length - start;
	memcpy(buffer->bytes + start, &head, sizeof head);
	return true;
}

struct sink *sink_open(const struct log_settings *settings, struct error *error)
{
	const char *rest;
	const struct sink_type *type = find_type(settings->target, &rest);
	struct sink *sink = type->open(rest, settings, error);
	const struct record_format *format = settings->format;
	if (!sink)
		return NULL;
	sink->structured = (struct sink_record_format){
		{.append = append_structured, .left_out = format->left_out},
		settings->tee || settings->metrics ? format : NULL};
	sink->format = type->structured ? &sink->structured.format : format;
	return sink;
}
