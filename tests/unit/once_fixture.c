/* SPDX-License-Identifier: MIT */
#include "once_fixture.h"

#include "base/clock.h"
#include "service/table.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"
#include "world.h"

void once_open(const char *log, size_t connections, bool own)
{
	static const struct sink_type *const types[] = {&sink_file, &sink_late, &sink_hook, NULL};
	static union service_own_options options;
	static struct service_settings settings;
	struct error error;
	for (const struct option_spec *spec = service_once.options; spec->name; spec++)
		option_unset(spec, &options);
	if (own)
		world_use_own();
	else
		world_use_groups();
	scratch_enter();
	file_write("empty", "");
	sink_types = types;
	world_open(log, connections, 1000, 0);
	settings = (struct service_settings){.options = {.own = &options},
					     .log = world.log,
					     .log_name = "empty",
					     .sync = LOG_SYNC_WRITE};
	world.settings.handler = &service_once.handler;
	ck_assert_ptr_nonnull(world.settings.service = service_once.start(&settings, &error));
}

void once_close(void)
{
	session_table_stop(world.table);
	world_await(0);
	ck_assert(log_flush(world.log, clock_after(20 * CLOCK_SECOND)));
	service_once.stop(world.settings.service);
	(void)world_end();
}
