/* SPDX-License-Identifier: MIT */
/* The load generator that the figures are measured with: one thread, so that what is measured is
 * the server, and the same for every server, so that they can be compared. It prints one JSON
 * object. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "base/parse.h"
#include "base/program.h"
#include "net/tls.h"
#include "protocols.h"

enum { MOST_CONNECTIONS = 100000, MOST_IN_FLIGHT = 1000000 };

static void show_usage(FILE *file)
{
	(void)fprintf(file,
		      "Usage: lineload PROTOCOL HOST PORT CONNECTIONS WINDOW LINES [-pid PID] "
		      "[-tls-ca FILE]\n"
		      "Puts a load on a server and prints what it took as JSON.\n\n"
		      "PROTOCOL is one of: %s.\n"
		      "Each of the CONNECTIONS has WINDOW lines in flight, until LINES were\n"
		      "acknowledged behind a warm-up. With -pid the CPU time of that process is\n"
		      "measured. With -tls-ca it uses TLS, and FILE has the CA of the server.\n",
		      protocol_names());
}

static int read_number(const char *what, const char *word, int64_t max, int64_t *number,
		       struct error *error)
{
	if (number_parse(word, 1, max, number) == 0)
		return 0;
	return error_set(error, "%s '%.100s' is not a number from 1 to %" PRId64, what, word, max);
}

/* 0, or -1 with the failure set. */
static int read_arguments(int argc, char **argv, struct load_settings *settings,
			  struct error *error)
{
	int64_t port, connections, window, lines, server = 0;
	const char *process = NULL;
	int given = 7;
	if (given + 1 < argc && !strcmp(argv[given], "-pid")) {
		process = argv[given + 1];
		given += 2;
	}
	if (given + 1 < argc && !strcmp(argv[given], "-tls-ca")) {
		settings->ca = argv[given + 1];
		given += 2;
	}
	if (argc != given)
		return error_set(error, "six arguments are needed; see lineload -help");
	settings->protocol = protocol_find(argv[1]);
	if (!settings->protocol)
		return error_set(error, "PROTOCOL '%.100s' is none of: %s", argv[1],
				 protocol_names());
	if (read_number("PORT", argv[3], 65535, &port, error) < 0 ||
	    read_number("CONNECTIONS", argv[4], MOST_CONNECTIONS, &connections, error) < 0 ||
	    read_number("WINDOW", argv[5], MOST_IN_FLIGHT / connections, &window, error) < 0 ||
	    read_number("LINES", argv[6], INT64_MAX / 2, &lines, error) < 0 ||
	    (process && read_number("PID", process, INT_MAX, &server, error) < 0))
		return -1;
	settings->host = argv[2];
	settings->port = (int)port;
	settings->connections = (size_t)connections;
	settings->window = (size_t)window;
	settings->lines = (uint64_t)lines;
	settings->server = (pid_t)server;
	return 0;
}

static double microseconds(int64_t nanoseconds)
{
	return (double)nanoseconds / 1e3;
}

/* False: stdout failed. */
static bool show_result(const struct load_settings *settings, const struct load_result *result)
{
	double seconds = (double)result->elapsed / 1e9;
	const struct histogram *latency = &result->latency;
	printf("{\"protocol\":\"%s\",\"connections\":%zu,\"window\":%zu,\"lines\":%" PRIu64 ",",
	       settings->protocol->name, settings->connections, settings->window, settings->lines);
	printf("\"seconds\":%.6f,\"acks_per_second\":%.1f,", seconds,
	       (double)settings->lines / seconds);
	printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,",
	       microseconds(histogram_quantile(latency, 0.5)),
	       microseconds(histogram_quantile(latency, 0.99)),
	       microseconds(histogram_quantile(latency, 1)));
	if (result->cpu >= 0)
		printf("\"cpu_us_per_ack\":%.3f,",
		       microseconds(result->cpu) / (double)settings->lines);
	printf("\"errors\":%" PRIu64 "}\n", result->errors);
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* Over plain TCP or TLS. */
static int run(struct load_settings *settings, struct load_result *result, struct error *error)
{
	const struct tls_settings tls_settings = {.side = STREAM_CLIENT, .ca = settings->ca};
	struct tls *tls = settings->ca ? tls_new(&tls_settings, error) : NULL;
	if (settings->ca && !tls)
		return -1;
	settings->stream_type = tls ? tls_stream_type(tls) : &stream_tcp;
	int done = load_run(settings, result, error);
	tls_free(tls);
	return done;
}

static enum exit_status put_load(const char *program, struct load_settings *settings)
{
	struct error error;
	struct load_result *result = calloc(1, sizeof *result);
	if (!result || run(settings, result, &error) < 0) {
		program_complain(program, result ? error.message : "out of memory");
		free(result);
		return EXIT_FAILED;
	}
	bool done = show_result(settings, result);
	if (!done)
		program_complain(program, "cannot write to stdout");
	if (result->errors) {
		error_set(&error, "%" PRIu64 " lines were not acknowledged, the first with: %s",
			  result->errors, result->errnum);
		program_complain(program, error.message);
		done = false;
	}
	free(result);
	return done ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct load_settings settings = {0};
	struct error error;
	const char *program = program_name(argv[0]);
	program_guard_descriptors();
	if (argc == 2 && (!strcmp(argv[1], "-help") || !strcmp(argv[1], "--help"))) {
		show_usage(stdout);
		return EXIT_DONE;
	}
	if (read_arguments(argc, argv, &settings, &error) < 0) {
		program_complain(program, error.message);
		return EXIT_USAGE;
	}
	return (int)put_load(program, &settings);
}
