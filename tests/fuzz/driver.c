/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target where there is no libFuzzer, with the same command line:
 *
 *	fuzz_line [-max_total_time=SECONDS] [-runs=N] [-seed=N] [-max_len=BYTES] [FILE | FOLDER]...
 *
 * Each file is given to the target as it is; then, where a time or a number of runs is asked for,
 *inputs made from them by chance. A crash leaves its input in a file crash-SEED-RUN. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct line_source {
	uint8_t *bytes;
	size_t size;
};

struct options {
	uint64_t seconds;
	uint64_t runs;
	uint64_t seed;
	uint64_t max_len;
};

static struct {
	struct line_source *inputs;
	size_t count;
} seeds;

/* What is being tried; the handler of a crash reads it. */
static struct {
	const uint8_t *bytes;
	size_t size;
	char file[80];
} trial;

static uint64_t random_state;

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "fuzz: %s %s: %s\n", what, which, strerror(errno));
	exit(EXIT_FAILURE);
}

static void *checked(void *memory)
{
	if (!memory)
		fail("cannot allocate", "memory");
	return memory;
}

/* xorshift64*: the same inputs for the same seed, everywhere. */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* 0 up to limit - 1; 0 where the limit is 0. */
static size_t random_below(size_t limit)
{
	return limit ? (size_t)((random_next() >> 11) % limit) : 0;
}

static void crashed(int number)
{
	int descriptor = open(trial.file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	/* nothing better can be done in a handler when this fails */
	if (descriptor >= 0 && write(descriptor, trial.bytes, trial.size) < 0)
		(void)close(descriptor);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

/* The target gets a copy of just that size, so that a sanitizer sees a read behind its end. */
static void try_input(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = checked(malloc(size ? size : 1));
	memcpy(copy, bytes, size);
	trial.bytes = copy;
	trial.size = size;
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void load_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		fail("cannot open", path);
	struct line_source input = {checked(malloc(1)), 0};
	uint8_t chunk[4096];
	size_t got;
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
		input.bytes = checked(realloc(input.bytes, input.size + got));
		memcpy(input.bytes + input.size, chunk, got);
		input.size += got;
	}
	if (ferror(file))
		fail("cannot read", path);
	(void)fclose(file);
	seeds.inputs = checked(realloc(seeds.inputs, (seeds.count + 1) * sizeof *seeds.inputs));
	seeds.inputs[seeds.count++] = input;
}

static void load(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder) {
		load_file(path);
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(folder))) {
		char name[4096];
		struct stat status;
		(void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (stat(name, &status) == 0 && S_ISREG(status.st_mode))
			load_file(name);
	}
	(void)closedir(folder);
}

/* Puts length bytes in at a place, as far as there is room. */
static void insert(struct line_source *input, size_t place, const void *bytes, size_t length,
		   size_t room)
{
	if (length > room - input->size)
		length = room - input->size;
	memmove(input->bytes + place + length, input->bytes + place, input->size - place);
	memcpy(input->bytes + place, bytes, length);
	input->size += length;
}

static void cut_out(struct line_source *input, size_t place, size_t length)
{
	memmove(input->bytes + place, input->bytes + place + length, input->size - place - length);
	input->size -= length;
}

/* One change by chance; the input has room for `room` bytes. */
static void mutate(struct line_source *input, size_t room)
{
	static const char *const words[] = {"\n",	"\r\n",		"\r",	    "\x1b[",
					    "\\",	"\\x",		"\\x0a",    "\xff",
					    "\xc2",	"\xc2\x85",	"\xe2\x80", "\xe2\x80\xa8",
					    "\xf0\x9f", "\xed\xa0\x80", "\t"};
	size_t place = random_below(input->size + 1);
	size_t left = input->size - place;
	switch (random_below(7)) {
	case 0: /* flip a bit */
		if (left)
			input->bytes[place] ^= (uint8_t)(1U << random_below(8));
		break;
	case 1: /* any byte */
		if (left)
			input->bytes[place] = (uint8_t)random_below(256);
		break;
	case 2: { /* a word that means something */
		const char *word = words[random_below(sizeof words / sizeof *words)];
		insert(input, place, word, strlen(word), room);
		break;
	}
	case 3: { /* any byte, many times */
		uint8_t run[64];
		memset(run, (int)random_below(256), sizeof run);
		insert(input, place, run, 1 + random_below(sizeof run), room);
		break;
	}
	case 4:
		cut_out(input, place, random_below(left + 1));
		break;
	case 5: { /* a piece of itself again */
		uint8_t piece[128];
		size_t length = random_below((left < sizeof piece ? left : sizeof piece) + 1);
		memcpy(piece, input->bytes + place, length);
		insert(input, random_below(input->size + 1), piece, length, room);
		break;
	}
	default: { /* a piece of another */
		const struct line_source *other = &seeds.inputs[random_below(seeds.count)];
		size_t from = random_below(other->size + 1);
		insert(input, place, other->bytes + from, random_below(other->size - from + 1),
		       room);
	}
	}
}

static uint64_t run_random(const struct options *options)
{
	struct line_source input = {checked(malloc(options->max_len)), 0};
	time_t end = time(NULL) + (time_t)options->seconds;
	uint64_t run = 0;
	while ((!options->runs || run < options->runs) && (!options->seconds || time(NULL) < end)) {
		const struct line_source *seed = &seeds.inputs[random_below(seeds.count)];
		input.size = seed->size < options->max_len ? seed->size : options->max_len;
		memcpy(input.bytes, seed->bytes, input.size);
		for (size_t changes = 1 + random_below(8); changes; changes--)
			mutate(&input, options->max_len);
		(void)snprintf(trial.file, sizeof trial.file, "crash-%" PRIu64 "-%" PRIu64,
			       options->seed, run);
		try_input(input.bytes, input.size);
		run++;
	}
	free(input.bytes);
	return run;
}

/* "-name=NUMBER". False where it is something else. */
static bool read_option(struct options *options, const char *word)
{
	const struct {
		const char *name;
		uint64_t *value;
	} known[] = {{"-max_total_time=", &options->seconds},
		     {"-runs=", &options->runs},
		     {"-seed=", &options->seed},
		     {"-max_len=", &options->max_len}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t length = strlen(known[i].name);
		char *end;
		if (strncmp(word, known[i].name, length) != 0 || !word[length])
			continue;
		*known[i].value = strtoull(word + length, &end, 10);
		return !*end;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .max_len = 4096};
	for (int i = 1; i < argc; i++) {
		if (*argv[i] != '-') {
			load(argv[i]);
		} else if (!read_option(&options, argv[i])) {
			fprintf(stderr, "fuzz: unknown option '%s'\n", argv[i]);
			return 2;
		}
	}
	random_state = options.seed * 2 + 1; /* must not be 0 */
	static const int deadly[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		(void)signal(deadly[i], crashed);

	for (size_t i = 0; i < seeds.count; i++) {
		(void)snprintf(trial.file, sizeof trial.file, "crash-input-%zu", i);
		try_input(seeds.inputs[i].bytes, seeds.inputs[i].size);
	}
	size_t files = seeds.count;
	uint64_t runs = 0;
	if (options.seconds || options.runs) {
		if (!seeds.count) /* something to begin with */
			seeds.inputs = checked(calloc(seeds.count = 1, sizeof *seeds.inputs));
		if (!seeds.inputs[0].bytes)
			seeds.inputs[0].bytes = checked(malloc(1));
		runs = run_random(&options);
	}
	fprintf(stderr, "fuzz: %zu files and %" PRIu64 " inputs by chance, seed %" PRIu64 "\n",
		files, runs, options.seed);
	for (size_t i = 0; i < seeds.count; i++)
		free(seeds.inputs[i].bytes);
	free(seeds.inputs);
	return 0;
}
