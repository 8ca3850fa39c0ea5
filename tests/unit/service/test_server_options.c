/* SPDX-License-Identifier: MIT */
#include "service/server_options_check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "log.h"
#include "record/database.h"
#include "service/table.h"
#include "session/receiver.h"
#include "unit.h"

static struct server_options options;
static struct error error;

static enum option_outcome read_two(const char *name, const char *value)
{
	static char program[] = "server", word[64], given[64];
	(void)snprintf(word, sizeof word, "%s", name);
	(void)snprintf(given, sizeof given, "%s", value ? value : "");
	char *argv[] = {program, word, given, NULL};
	server_options_init(&options);
	return options_read(server_option_table(), &options, value ? 3 : 2, argv, &error);
}

static void give(const char *name, const char *value)
{
	const struct option_spec *spec = option_find(server_option_table(), name);
	ck_assert_int_eq(option_store(spec, &options, value, &error), 0);
}

START_TEST(defaults)
{
	char program[] = "server", *argv[] = {program, NULL};
	server_options_init(&options);
	ck_assert_int_eq(options_read(server_option_table(), &options, 1, argv, &error),
			 OPTIONS_READ);
	ck_assert_str_eq(services[options.service]->name, "ok");
	ck_assert_ptr_null(options.log); /* the service has a name for it */
	ck_assert_str_eq(server_options_log(&options), "logging.log");
	ck_assert_str_eq(record_format_names[options.format], "text");
	ck_assert_str_eq(log_sync_names[options.sync], "write");
	ck_assert(!options.append && !options.quiet);
	ck_assert_int_eq(options.connections, 0);
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert_str_eq(options.host, "127.0.0.1");
	ck_assert_int_eq(options.port, 2005);
	ck_assert_int_eq(options.maxline, 65536);
	ck_assert_int_eq(options.idle, 0);
	ck_assert_int_eq(options.unfinished, 60 * CLOCK_SECOND);
	ck_assert_int_eq(options.drain, 5 * CLOCK_SECOND);
	ck_assert_int_eq(options.spin, 50 * CLOCK_MICROSECOND);
	ck_assert_int_eq(options.ready, -1);
}
END_TEST

/* What each option takes at its two ends, and that it goes where it belongs. */
START_TEST(good_values_are_taken)
{
	const int64_t *loss = server_option(&options, "loss");
	const int64_t *keepalive = server_option(&options, "keepalive");
	const struct {
		const char *name, *value;
		const int64_t *place;
		int64_t stored;
	} cases[] = {
		{"-port", "0", &options.port, 0},
		{"-port", "65535", &options.port, 65535},
		{"-connections", "1", &options.connections, 1},
		{"-connections", "1000000", &options.connections, 1000000},
		{"-per-address", "1", &options.per_address, 1},
		{"-per-address", "1000000", &options.per_address, 1000000},
		{"-maxline", "1", &options.maxline, 1},
		{"-maxline", "67108864", &options.maxline, 67108864},
		{"-idle", "0", &options.idle, 0},
		{"-idle", "8760h", &options.idle, 8760 * 3600 * CLOCK_SECOND},
		{"-drain", "0", &options.drain, 0},
		{"-drain", "24h", &options.drain, 24 * 3600 * CLOCK_SECOND},
		{"-drain", "250ms", &options.drain, 250 * CLOCK_MILLISECOND},
		{"-spin", "0", &options.spin, 0},
		{"-spin", "10ms", &options.spin, 10 * CLOCK_MILLISECOND},
		{"-loss", "0%", loss, 0},
		{"-loss", "100%", loss, 1000000},
		{"-keepalive", "0", keepalive, 0},
		{"-keepalive", "24h", keepalive, 24 * 3600 * CLOCK_SECOND},
		{"-ready", "1", &options.ready, 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_msg(read_two(cases[i].name, cases[i].value) == OPTIONS_READ, "%s %s: %s",
			      cases[i].name, cases[i].value, error.message);
		ck_assert_int_eq(*cases[i].place, cases[i].stored);
	}
	ck_assert_int_eq(read_two("-host", "::1"), OPTIONS_READ);
	ck_assert_str_eq(options.host, "::1");
	ck_assert_int_eq(read_two("-log", "/a b"), OPTIONS_READ);
	ck_assert_str_eq(options.log, "/a b");
	ck_assert_int_eq(read_two("-sync", "disk"), OPTIONS_READ);
	ck_assert_int_eq(options.sync, LOG_SYNC_DISK);
	ck_assert_int_eq(read_two("-sync", "none"), OPTIONS_READ);
	ck_assert_int_eq(options.sync, LOG_SYNC_NONE);
	ck_assert_str_eq(server_options_log(&options), "logging.log");
	ck_assert_int_eq(read_two("-service", "ok"), OPTIONS_READ);
	ck_assert_int_eq(read_two("-format", "text"), OPTIONS_READ);
	ck_assert_int_eq(read_two("-append", NULL), OPTIONS_READ);
	ck_assert(options.append && !options.quiet);
	ck_assert_int_eq(read_two("-overwrite", NULL), OPTIONS_READ);
	ck_assert(options.overwrite && !options.append);
	ck_assert_int_eq(read_two("-quiet", NULL), OPTIONS_READ);
	ck_assert(options.quiet && !options.append);
}
END_TEST

START_TEST(bad_values_are_refused_by_name)
{
	static const char *const cases[][2] = {
		{"-host", ""},
		{"-port", ""},
		{"-port", "65536"},
		{"-port", "-1"},
		{"-port", "http"},
		{"-port", "2005x"},
		{"-port", "1e3"},
		{"-port", "99999999999999999999"},
		{"-service", "nothing"},
		{"-service", ""},
		{"-service", "OK"},
		{"-log", ""},
		{"-format", "xml"},
		{"-sync", "always"},
		{"-sync", "writes"},
		{"-connections", "0"},
		{"-connections", "1000001"},
		{"-connections", "-5"},
		{"-maxline", "0"},
		{"-maxline", "67108865"},
		{"-maxline", "64k"},
		{"-idle", "-1s"},
		{"-idle", "soon"},
		{"-idle", "8761h"},
		{"-drain", "5 s"},
		{"-drain", "25h"},
		{"-drain", ""},
		{"-spin", "11ms"},
		{"-spin", "-1us"},
		{"-loss", "101%"},
		{"-loss", "10"},
		{"-keepalive", "25h"},
		{"-ready", "0"},
		{"-ready", "-1"},
		{"-ready", "stdout"},
		{"-ready", "1000001"},
		{"-next", ""},
		{"-workers", "0"},
		{"-workers", "1025"},
		{"-work", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char named[128];
		(void)snprintf(named, sizeof named, "%s: '%s' is not ", cases[i][0], cases[i][1]);
		ck_assert_msg(read_two(cases[i][0], cases[i][1]) == OPTIONS_WRONG, "taken: %s %s",
			      cases[i][0], cases[i][1]);
		ck_assert_msg(!strncmp(error.message, named, strlen(named)), "%s", error.message);
		ck_assert_ptr_null(strchr(error.message, '\n'));
	}
}
END_TEST

static void assert_wrong(const char *words)
{
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, words);
}

START_TEST(what_the_log_cannot_be)
{
	server_options_init(&options);
	options.append = options.overwrite = true;
	assert_wrong("-overwrite: not with -append");
	server_options_init(&options);
	options.log = "-";
	options.append = true; /* what stdout does anyway */
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	server_options_init(&options);
	options.log = "-";
	options.overwrite = true;
	assert_wrong("-overwrite: not with -log -, which is stdout");
	options.overwrite = false;
	options.ready = 1;
	assert_wrong("-ready 1: not with -log -, which is stdout");
	ck_assert_int_eq(read_two("-service", "relay"), OPTIONS_READ);
	options.log = "-";
	assert_wrong("-log -: not with -service relay, which reads its log: it needs a file");
}
END_TEST

START_TEST(a_log_in_a_database)
{
	server_options_init(&options);
	options.log = "sqlite:log.db";
	if (!database_is_built) {
		assert_wrong(DATABASE_MISSING);
		return;
	}
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert_int_eq(read_two("-format", "plain"), OPTIONS_READ);
	options.log = "sqlite:log.db";
	assert_wrong("-format plain: not with -log sqlite:log.db, whose records have columns");
	ck_assert_int_eq(read_two("-service", "relay"), OPTIONS_READ);
	options.log = "sqlite:log.db";
	assert_wrong("-log sqlite:log.db: not with -service relay, which reads its log: "
		     "it needs a file");
}
END_TEST

START_TEST(services_differ_in_their_defaults)
{
	ck_assert_int_eq(read_two("-service", "echo"), OPTIONS_READ);
	ck_assert_str_eq(services[options.service]->name, "echo");
	ck_assert_str_eq(server_options_log(&options), "server.log");
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	options.log = "other.log";
	ck_assert_str_eq(server_options_log(&options), "other.log");
	server_options_init(&options);
	options.maxline = 65536; /* given, if only what it would be */
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.maxline, 65536);
	ck_assert_int_eq(read_two("-service", "echo"), OPTIONS_READ);
	options.maxline = 65536;
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-maxline: not with -service echo, which has no limit");
}
END_TEST

START_TEST(a_relay_needs_to_know_where_to)
{
	ck_assert_int_eq(read_two("-service", "relay"), OPTIONS_READ);
	ck_assert_str_eq(server_options_log(&options), "server.log");
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-next: required with -service relay");
	give("next", "localhost");
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message,
			 "-next: 'localhost' is not HOST:PORT, [IPv6]:PORT or unix:PATH");
	give("next", "localhost:7001");
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.maxline, 65536 - 128);
	ck_assert_int_ge(options.seed, 0);
	give("work", "cat");
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	give("delay", "0");
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-delay: not with -work");
	static const char *const only[][2] = {{"-workers", "3"}, {"-work", "cat"}};
	for (size_t i = 0; i < sizeof only / sizeof *only; i++) {
		char expected[64];
		ck_assert_int_eq(read_two(only[i][0], only[i][1]), OPTIONS_READ);
		ck_assert_int_eq(server_options_complete(&options, &error), -1);
		(void)snprintf(expected, sizeof expected, "-next: required with %s", only[i][0]);
		ck_assert_str_eq(error.message, expected);
	}
}
END_TEST

/* Forwarding is a property of the server: it does not depend on how lines are answered. */
START_TEST(lines_of_ok_and_once_can_be_forwarded)
{
	static const char *const names[] = {"ok", "once"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		ck_assert_int_eq(read_two("-service", names[i]), OPTIONS_READ);
		give("next", "a");
		assert_wrong("-next: 'a' is not HOST:PORT, [IPv6]:PORT or unix:PATH");
		give("next", "a:1");
		give("workers", "3");
		ck_assert_int_eq(server_options_complete(&options, &error), 0);
		ck_assert_int_eq(options.maxline, 65536 - 128);
		ck_assert_str_ne(server_options_log(&options), "server.log");
	}
	ck_assert_int_eq(read_two("-next", "a:1"), OPTIONS_READ);
	options.log = "-";
	assert_wrong("-log -: not with -next, which reads its log: it needs a file");
	ck_assert_int_eq(read_two("-next", "a:1"), OPTIONS_READ);
	give("format", "plain");
	assert_wrong("-format plain: not with -next, which reads its records");
	ck_assert_int_eq(read_two("-service", "echo"), OPTIONS_READ);
	give("next", "a:1");
	assert_wrong("-next: only with -service ok or relay or once");
}
END_TEST

/* What is given for the next server alone does not secure the relay's own port. */
START_TEST(a_relay_has_tls_on_either_side)
{
	if (!tls_is_built) /* then it is refused: tests/system/tls.test */
		return;
	ck_assert_int_eq(read_two("-service", "relay"), OPTIONS_READ);
	give("next", "h:1");
	give("format", "csv");
	give("tls", NULL);
	give("tls-ca", "ca");
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert_str_eq(options.next_tls.ca, "ca");
	ck_assert_ptr_null(options.tls.ca);
	ck_assert(!server_options_format(&options).certificates);
	give("tls-cert", "cert");
	give("tls-key", "key");
	give("tls-ca", "ca");
	give("tls-names", NULL);
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert(options.tls.named && !options.next_tls.named);
	ck_assert(server_options_format(&options).certificates);
}
END_TEST

START_TEST(an_alphabet_is_checked_before_anything_starts)
{
	ck_assert_int_eq(read_two("-alphabet", "a-z0-9-"), OPTIONS_READ);
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-alphabet: only with -service chars");
	ck_assert_int_eq(read_two("-service", "chars"), OPTIONS_READ);
	give("alphabet", "a-z0-9-");
	ck_assert_int_eq(server_options_complete(&options, &error), 0);
	ck_assert_str_eq(server_options_log(&options), "chars.log");
	give("alphabet", "z-a");
	ck_assert_int_eq(server_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message,
			 "-alphabet: 'z-a' has the range 'z-a', which runs backwards");
}
END_TEST

/* The table itself: no two alike, a description each, a default named where there is one. */
START_TEST(table_is_whole)
{
	ck_assert_str_eq(server_option_table()->program, "server");
	size_t count = 0;
	for (const struct option_spec *spec = server_option_table()->specs; spec->name; spec++) {
		ck_assert_ptr_eq(option_find(server_option_table(), spec->name), spec);
		ck_assert(spec->help && *spec->help);
		ck_assert_int_eq(spec->argument == NULL, spec->kind == OPTION_FLAG);
		ck_assert_uint_lt(spec->offset, sizeof(struct server_options));
		ck_assert_int_eq(spec->choices != NULL, spec->kind == OPTION_CHOICE);
		count++;
	}
	ck_assert_uint_eq(count, 45);
}
END_TEST

/* The number of connections by default, for so many descriptors and bytes of memory. */
static int64_t connections_for(uint64_t descriptors, uint64_t memory, const char *maxline)
{
	server_options_init(&options);
	if (maxline)
		give("maxline", maxline);
	ck_assert_int_eq(server_options_check(&options, descriptors, memory, &error), EXIT_DONE);
	return options.connections;
}

START_TEST(connections_fit_the_descriptors)
{
	const size_t groups = receiver_group_count();
	ck_assert_int_eq(connections_for(1024 + groups, UINT64_MAX, NULL), 992);
	/* there are 32 to spare at the limit, and not one less */
	ck_assert_int_eq(connections_for(1000031 + groups, UINT64_MAX, NULL), 999999);
	ck_assert_int_eq(connections_for(1000032 + groups, UINT64_MAX, NULL), 1000000);
	ck_assert_int_eq(connections_for(UINT64_MAX, UINT64_MAX, NULL), 1000000);
	server_options_init(&options);
	give("connections", "999970");
	ck_assert_int_eq(server_options_check(&options, 1000001 + groups, UINT64_MAX, &error),
			 EXIT_USAGE);
	ck_assert_str_eq(error.message,
			 "-connections: the descriptor limit allows 999969, not 999970");
	server_options_init(&options);
	ck_assert_int_eq(server_options_check(&options, 32 + groups, UINT64_MAX, &error),
			 EXIT_FAILED);
	/* there are no groups */
	server_options_init(&options);
	give("receive", "own");
	ck_assert_int_eq(server_options_check(&options, 1024, UINT64_MAX, &error), EXIT_DONE);
	ck_assert_int_eq(options.connections, 992);
}
END_TEST

/* Half of the memory for all; 128 KiB and the longest line, or 64 KiB, for one. */
START_TEST(connections_fit_the_memory)
{
	const uint64_t gib = UINT64_C(1) << 30;
	ck_assert_int_eq(connections_for(1000000, gib, NULL), 2730);
	ck_assert_int_eq(connections_for(1000000, gib, "10"), 2730);
	ck_assert_int_eq(connections_for(1000000, gib, "1048576"), 455);
	ck_assert_int_eq(connections_for(1000 + receiver_group_count(), gib, NULL), 968);
	ck_assert_int_eq(connections_for(1000000, 1, NULL), 1);
	/* what is asked for is taken */
	server_options_init(&options);
	give("connections", "100000");
	ck_assert_int_eq(server_options_check(&options, 1000000, gib, &error), EXIT_DONE);
	ck_assert_int_eq(options.connections, 100000);
}
END_TEST

int main(void)
{
	TCase *server = tcase_create("server");
	tcase_add_test(server, defaults);
	tcase_add_test(server, good_values_are_taken);
	tcase_add_test(server, bad_values_are_refused_by_name);
	tcase_add_test(server, what_the_log_cannot_be);
	tcase_add_test(server, a_log_in_a_database);
	tcase_add_test(server, services_differ_in_their_defaults);
	tcase_add_test(server, a_relay_needs_to_know_where_to);
	tcase_add_test(server, lines_of_ok_and_once_can_be_forwarded);
	tcase_add_test(server, a_relay_has_tls_on_either_side);
	tcase_add_test(server, an_alphabet_is_checked_before_anything_starts);
	tcase_add_test(server, table_is_whole);
	tcase_add_test(server, connections_fit_the_descriptors);
	tcase_add_test(server, connections_fit_the_memory);
	return unit_main("options_server", server, NULL);
}
